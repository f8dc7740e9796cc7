"""A schedule: the one sequence of choices (who goes next, which outcome hardware takes) that makes a run what it is.

A run is a pure function of (scenario, parameters, schedule). Choices are recorded only where there was more than one
option: an actor pick is the actor's number, an outcome its index. A token is a schedule with the name of its
experiment, short enough for a mail.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

import msgpack

Schedule = tuple[int, ...]
ParamValue = int | str
FAIR = 255
"""Chosen instead of an actor: from here on everybody goes in turn, and nothing is chosen any more."""
AGAIN = 254
"""Chosen instead of an actor, twice: what is done between the two is done again and again."""
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
