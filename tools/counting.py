"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 schedule`, `1,000 schedules`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
