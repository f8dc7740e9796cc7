"""Text of strangers (traces, tokens, models) as one may print it: nothing in it moves the cursor or hides."""

from __future__ import annotations

import json
from collections.abc import Iterator

LONGEST_LINE = 500
"""Characters of a message about bad input, in all."""


def printable(text: str) -> str:
    """The text with whatever a terminal would obey, or nobody could see, written as an escape."""
    return text if text.isprintable() else "".join(_escaped(text))


def one_line(text: str) -> str:
    """A message: one printable line of at most LONGEST_LINE characters, its middle left out if it is longer."""
    line = printable(" ".join(text.split()))
    if len(line) <= LONGEST_LINE:
        return line
    half = (LONGEST_LINE - 3) // 2
    return f"{line[:half]} … {line[-half:]}"


def escaped(text: str) -> str:
    """The same for a line of JSON, where these characters stand in texts only."""
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _escaped(text: str) -> Iterator[str]:
    for character in text:
        yield character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
