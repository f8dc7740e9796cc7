"""What each shipped combination of `entry-update` must come to, and why."""

from __future__ import annotations

from .entry_transitions import TRANSITIONS
from .scenario import Expected

MIX = "walker-uses-old-or-new"
REFUSED = "hitless-update-never-refuses"

EXPECTED = (
    *(
        Expected(
            params={"change": name, "writer": "6.9"},
            verdict="holds",
            why="what is stored between two SYNCs is one word, or bits that the entry of the moment does not use",
        )
        for name in TRANSITIONS
    ),
    *(
        Expected(
            params={"change": name, "writer": "old"},
            verdict="violated",
            oracle=REFUSED,
            why="V=0 first, whatever changes",
        )
        for name in ("s1dss", "cdtable-bypass", "sva-quiet", "sva-asid", "nested")
    ),
    *(
        Expected(
            params={"change": name, "writer": "old"},
            verdict="violated",
            oracle=MIX,
            why="no SYNC behind the filling: a fetch read the other words before they were filled, and V after",
        )
        for name in ("empty-sva", "sva-other", "cdtable-stage2")
    ),
    *(
        Expected(
            params={"change": name, "writer": "split"},
            verdict="violated",
            oracle=MIX,
            why="SMMU-R24: the low half has V, the high half is still the old one",
        )
        for name in ("abort-cdtable", "bypass-cdtable", "empty-sva", "sva-quiet", "sva-other")
    ),
    Expected(
        params={"change": "s1dss", "writer": "split"},
        verdict="holds",
        why="the word with V does not change at all",
    ),
    Expected(
        params={"change": "sva-empty", "writer": "split"},
        verdict="holds",
        why="the half with V goes first, so nobody looks at the other",
    ),
    *(
        Expected(
            params={"change": name, "writer": "pre-MEV-safe"},
            verdict="violated",
            oracle=REFUSED,
            why="SMMU-R25: EATS and MEV count as a second word that differs, so the live stream gets C_BAD_STE",
        )
        for name in ("table-and-eats", "nested")
    ),
    Expected(
        params={"change": "eats", "writer": "pre-MEV-safe"},
        verdict="holds",
        why="one word differs, and one store changes it",
    ),
    Expected(
        params={"change": "cdtable-bypass", "writer": "no-wait"},
        verdict="violated",
        oracle=MIX,
        why="the fields that bypass does not use are cleared while a fetch still puts the old entry together",
    ),
    Expected(
        params={"change": "table-and-eats", "writer": "no-wait"},
        verdict="holds",
        why="EATS may be seen early or late, and one more store makes the change",
    ),
)
