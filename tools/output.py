"""Where results go: stdout as text or as one JSON document, in colour or not; one place decides all of that."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import click

from .exits import ModelError, Refusal
from .printable import escaped, printable

JSON_VERSION = 1
_STYLES = {"[*]": "red", "VACUOUS": "yellow", "<== preempt": "yellow"}


class Terminal(Protocol):
    """What may be one."""

    def isatty(self) -> bool:
        """Whether people are watching."""
        ...


def wants_color(asked: bool | None, environment: Mapping[str, str], stream: Terminal) -> bool:
    """The decision: what was asked for, then NO_COLOR, then FORCE_COLOR, then whether people are watching."""
    if asked is not None:
        return asked
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty()


class Output:
    """The result of one command."""

    def __init__(self, as_json: bool, color: bool | None) -> None:
        self.as_json = as_json
        self._documents = 0
        self._stream = sys.stdout
        self._color = wants_color(color, os.environ, sys.stdout)

    def lines(self, lines: Sequence[str]) -> None:
        """Text for people; nothing where a document is asked for."""
        if not self.as_json:
            for line in lines:
                self.text(f"{self._painted(printable(line))}\n")

    def document(self, kind: str, body: Mapping[str, Any]) -> None:
        """The one document of this command; nothing where text is asked for, or for an error after the result."""
        if self.as_json and not self._documents:
            self._documents += 1
            whole = {"format": f"stopmarker-{kind}", "version": JSON_VERSION, **body}
            text = json.dumps(whole, indent=2, ensure_ascii=False, default=_plain)
            self.text("\n".join(map(escaped, text.split("\n"))) + "\n")

    def text(self, text: str) -> None:
        """Text as it is; Refusal if it cannot be written, but BrokenPipeError if nobody wants it any more."""
        try:
            click.echo(text, self._stream, nl=False, color=self._color)
        except BrokenPipeError:
            raise
        except OSError as error:
            self.silence()
            raise Refusal(f"write the result to stdout: {error.strerror or error}") from None
        except ValueError:
            raise ModelError("ERROR: the model closed stdout, so the result has nowhere to go") from None

    def silence(self) -> None:
        """Whatever stdout still holds, or is given, goes nowhere: also what the interpreter writes at its exit."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def _painted(self, line: str) -> str:
        for mark, color in _STYLES.items():
            if self._color and mark in line:
                return click.style(line, fg=color)
        return line


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"write {type(value).__name__} as JSON: allowed are numbers, texts, lists and maps")
