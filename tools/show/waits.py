"""Who waits for whom in a deadlock, and whether that is a circle."""

from __future__ import annotations

import re

from actors.runtime.primitives.events import Finding, Outcome

_HELD = re.compile(r", held by (.+) since step \d+$")
_WAITS = re.compile(r"(.+?) (?:waits|spins) since step \d+ for (.*)")


def waits(finding: Finding) -> list[str]:
    """A line for each actor that waits, and one for the circle that they are in; nothing if it is no deadlock."""
    if finding.outcome is not Outcome.DEADLOCK:
        return []
    lines = finding.message.split("; ")
    holders: dict[str, list[str]] = {}
    for line in lines:
        match = _WAITS.fullmatch(line)
        held = _HELD.search(line)
        if match and held:
            holders[match[1]] = held[1].split(", ")
    circle = _circle(holders)
    return [*lines, f"Circle: {' -> '.join(circle)}."] if circle else lines


def _circle(holders: dict[str, list[str]]) -> list[str]:
    """A way from an actor back to it, the first by the order of the message; empty if there is none."""
    for start in holders:
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            for holder in holders.get(way[-1], ()):
                if holder == start:
                    return [*way, holder]
                if holder not in seen:
                    seen.add(holder)
                    ways.append([*way, holder])
    return []
