"""Numbers of which not everything matters, so that a run which comes to the same but for them is known as a circle.

Each says so itself: a number that nobody declares is taken as it is, and then a circle is missed, never invented.
"""

from __future__ import annotations

from typing import SupportsIndex

Of = str | int


class Name(int):
    """A number that is only compared for equality, and never taken twice, such as that of a work or of a message.

    `of` says what it names: two names are one if both their numbers and that are equal.
    """

    of: Of

    def __new__(cls, value: SupportsIndex, of: Of = "") -> Name:
        """The name of a number."""
        made = super().__new__(cls, value)
        made.of = of
        return made


class Count(int):
    """A number of which only the difference to others of the same counter matters; `of` is the counter.

    What is added to it or taken from it is a number; the difference of two is one as well.
    """

    of: Of

    def __new__(cls, value: SupportsIndex, of: Of = "") -> Count:
        """What a counter holds, or held."""
        made = super().__new__(cls, value)
        made.of = of
        return made

    def __add__(self, other: int) -> Count:
        return Count(int(self) + int(other), self.of)

    __radd__ = __add__

    def __sub__(self, other: int) -> int:
        difference = int(self) - int(other)
        return difference if isinstance(other, Count) else Count(difference, self.of)
