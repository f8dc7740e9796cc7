"""What several records say together: the same access again and again, at which rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from .log_record import LogRecord

FEWEST = 4
"""Records of which a rate is told."""
_NONE = Decimal(0)
_STEADY = Decimal("0.25")
"""By how much of the mean a gap may differ from it in a constant rate."""
_KINDS = {"smmuv3-event": ("ID", "SID", "SSID", "InputAddr"), "vtd-fault": ("reason", "device", "PASID", "address")}
"""Which fields make two records the same access."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The same access, recorded several times."""

    lines: tuple[int, ...]
    """The first line of each record."""
    text: str


def find(records: Sequence[LogRecord]) -> list[Series]:
    """Every access that is recorded at least FEWEST times, in the order of the first records."""
    groups: dict[tuple[object, ...], list[LogRecord]] = {}
    for record in records:
        names = _KINDS.get(record.kind, ())
        key = tuple(record.fields.get(name) for name in names)
        if names and key[-1] is not None:
            groups.setdefault((record.kind, record.unit, *key), []).append(record)
    return [_tell(group) for group in groups.values() if len(group) >= FEWEST]


def _tell(group: Sequence[LogRecord]) -> Series:
    first = group[0]
    text = f"the same address {first.fields[_KINDS[first.kind][-1]]} {len(group)} times"
    gaps = _gaps(group)
    time = sum(gaps, _NONE)
    if time > 0:
        mean = time / len(gaps)
        if all(abs(gap - mean) <= _STEADY * mean for gap in gaps):
            text += f", every {mean:.3g} s: a constant rate, so no race of one tear-down, but a device that still runs"
        else:
            text += f" in {time.normalize():f} s, at no constant rate (what is printed is limited in bursts)"
    return Series(lines=tuple(record.lines[0] for record in group), text=text)


def _gaps(group: Sequence[LogRecord]) -> list[Decimal]:
    """Seconds between the records; empty if one of them does not say when it was."""
    times = [Decimal(record.time) for record in group if record.time.replace(".", "", 1).isdecimal()]
    return [after - before for before, after in pairwise(times)] if len(times) == len(group) else []
