"""A schedule: the one sequence of choices (who goes next, which outcome hardware takes) that makes a run what it is.

A run is a pure function of (scenario, parameters, schedule). Choices are recorded only where there was more than one
option: an actor pick is the actor's number, an outcome its index. A token is a schedule with the name of its
experiment, short enough for a mail.
"""

from __future__ import annotations

import base64
import binascii
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Protocol

import msgpack

if TYPE_CHECKING:
    from .execution import Execution

Schedule = tuple[int, ...]
ParamValue = int | str
FAIR = 255
"""Chosen instead of an actor: from here on everybody goes in turn, and nothing is chosen any more."""
TOKEN_PREFIX = "sm1:"
_LONGEST_TOKEN = 65_536
_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_INVISIBLE = "\\>\u200b\u200c\u200d\u2060\ufeff\u00ad"
"""What mails put into long words and nobody sees or means, and the backslash at the end of a printed line."""


class TokenError(ValueError):
    """A token that cannot be read; the message says what was found and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is needed to make a run again."""

    scenario: str
    params: tuple[tuple[str, ParamValue], ...]
    schedule: Schedule

    def token(self) -> str:
        """The recipe as `sm1:` and base32 text (deflated msgpack with a CRC)."""
        packed = msgpack.packb([self.scenario, [list(pair) for pair in self.params], bytes(self.schedule)])
        body = zlib.compress(packed, 9)
        return TOKEN_PREFIX + base64.b32encode(zlib.crc32(body).to_bytes(4, "big") + body).decode().rstrip("=")

    @classmethod
    def parse(cls, token: str) -> Recipe:
        """The recipe of a token, whatever white space it holds; TokenError if it is cut, altered, or too new."""
        text = "".join(character for character in token if not character.isspace() and character not in _INVISIBLE)
        if not text.startswith(TOKEN_PREFIX):
            raise TokenError(f"read token {text[:12]!r}…: a token starts with {TOKEN_PREFIX!r}")
        if len(text) > _LONGEST_TOKEN:
            raise TokenError(f"read token: {len(text)} characters, allowed are {_LONGEST_TOKEN}")
        encoded = text[len(TOKEN_PREFIX) :].upper()
        strange = next((character for character in encoded if character not in _BASE32), None)
        if strange is not None:
            raise TokenError(f"read token: it holds {strange!r}, allowed are A to Z and 2 to 7")
        try:
            data = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
        except binascii.Error:
            raise TokenError("read token: not base32; was a character lost?") from None
        checksum, body = data[:4], data[4:]
        if zlib.crc32(body).to_bytes(4, "big") != checksum:
            raise TokenError("read token: checksum differs; was a character lost or changed?")
        inflater = zlib.decompressobj()
        try:
            packed = inflater.decompress(body, 16 * _LONGEST_TOKEN)
        except zlib.error as problem:
            raise TokenError(f"read token: it does not inflate ({problem})") from None
        if inflater.unconsumed_tail:
            raise TokenError("read token: it inflates beyond 1 MiB")
        if not inflater.eof or inflater.unused_data:
            raise TokenError("read token: the deflated part is not whole, or something follows it")
        return cls.unpack(packed)

    @classmethod
    def unpack(cls, packed: bytes) -> Recipe:
        """The recipe of a token's msgpack body; TokenError if the shape is wrong."""
        try:
            scenario, params, schedule = msgpack.unpackb(packed, strict_map_key=True, max_ext_len=0, max_map_len=0)
            pairs = tuple((name, value) for name, value in params)
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as problem:
            raise TokenError(f"read token: {problem or type(problem).__name__}") from None
        if not isinstance(scenario, str) or not isinstance(schedule, bytes):
            raise TokenError("read token: expected [scenario, parameters, choices]")
        if not all(isinstance(name, str) and type(value) in (int, str) for name, value in pairs):
            raise TokenError("read token: a parameter is a name with a number or a word")
        return cls(scenario=scenario, params=pairs, schedule=tuple(schedule))


class Scheduler(Protocol):
    """Decides. It is asked only where there is more than one option, and knows nothing of IOMMUs."""

    def start(self, execution: Execution) -> None:
        """A run begins; `execution` shows the pending step of each actor, and may be read, never changed."""
        ...

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """One of `options`: actor numbers, or if `outcome` the indices of what hardware can do.

        FAIR instead of an actor ends the scheduler's part of the run.
        """
        ...

    def finish(self) -> None:
        """The run is over."""
        ...


class Fifo:
    """The plain order: an actor runs until it cannot, then the next one in turn; outcomes are the plain ones."""

    def __init__(self) -> None:
        self._last = 0

    def start(self, execution: Execution) -> None:
        """Begin with the first actor."""
        self._last = 0

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Stay with the actor that acts, else take the next one round."""
        if outcome:
            return options[0]
        later = [option for option in options if option >= self._last]
        self._last = later[0] if later else options[0]
        return self._last

    def finish(self) -> None:
        """Nothing to keep."""


class RandomWalk:
    """Uniform over what is offered, from one stream of random bits: run *n* of a seed is always the same run."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random

    def start(self, execution: Execution) -> None:
        """Nothing to prepare."""

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Any option, each as likely."""
        return options[floor(self._draw() * len(options))]

    def finish(self) -> None:
        """Nothing to keep."""


class ScheduleMismatch(Exception):
    """A recorded schedule asks for what is not offered: scenario or code differ from when it was recorded."""


class Replay:
    """Takes the recorded choices; `ScheduleMismatch` when one is not offered or the recording ends too early."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._next = 0
        self._execution: Execution | None = None

    def start(self, execution: Execution) -> None:
        """Begin at the first choice."""
        self._next = 0
        self._execution = execution

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The recorded choice."""
        assert self._execution is not None
        step = self._execution.index
        kind = "outcome" if outcome else "actor"
        if self._next >= len(self._schedule):
            raise ScheduleMismatch(
                f"replay step {step}: the recording ends after {len(self._schedule)} choices, but {kind} "
                f"{self._describe(options, outcome)} is still to be chosen"
            )
        wanted = self._schedule[self._next]
        self._next += 1
        if wanted not in options and (outcome or wanted != FAIR):
            raise ScheduleMismatch(
                f"replay step {step}: choice {self._next} of {len(self._schedule)} takes {kind} {wanted}, offered now "
                f"{self._describe(options, outcome)}; the scenario, its parameters or the code changed since"
            )
        return wanted

    def finish(self) -> None:
        """`ScheduleMismatch` if choices are left over."""
        if self._next < len(self._schedule):
            raise ScheduleMismatch(
                f"replay: the run ended after {self._next} choices, the recording has {len(self._schedule)}"
            )

    def _describe(self, options: Sequence[int], outcome: bool) -> str:
        assert self._execution is not None
        if outcome:
            return str(list(options))
        return ", ".join(f"{option} ({self._execution.world.actors[option].name})" for option in options)
