"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 schedule`, `1,000 schedules`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def all_of(number: int, what: str) -> str:
    """`the only schedule`, `all 1,000 schedules`."""
    return f"the only {what}" if number == 1 else f"all {counted(number, what)}"
