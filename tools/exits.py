"""Exit codes, and the refusal that carries one: one code never stands for another."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What the process says when it ends."""

    NOTHING_VIOLATED = 0
    VIOLATED = 1
    USAGE = 2
    INTERNAL = 3
    DIVERGED = 4
    NOTHING_SELECTED = 5
    INCONCLUSIVE = 6
    ERROR = 7
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Refusal(Exception):
    """Something cannot be done, said in one line for people: what was tried, what was found, what is allowed."""

    code = Exit.USAGE


class ModelError(Refusal):
    """The model itself is wrong, so that nothing can be said about what it models."""

    code = Exit.ERROR


class Diverged(Refusal):
    """A replay did not do what was recorded."""

    code = Exit.DIVERGED


class Unfinished(Refusal):
    """Something ended before it could say what was asked."""

    code = Exit.INCONCLUSIVE
