"""Every stated combination comes to its verdict, and to the numbers of `counts.txt`: every day, or the long ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from scenarios.catalogue import load
from scenarios.scenario import Expected
from tests.scenarios.counts import RECORD, on_record, stated, text
from tests.searching import assert_agrees, exhaust, identity, oracles_of, search
from tools.explore.search import Budget
from tools.explore.strategies.portfolio import default

COUNTS = on_record()
ALSO = {
    ("entry-update", "change=cdtable-bypass,writer=old"): {"walker-uses-old-or-new"},
    ("discard-partial", "discard=no-unlink"): {"no-double-free"},
    ("pasid-lifetime", "free=iommu-mm-mmput,accesses=0"): {"no-foreign-teardown"},
    ("sva-unbind-era", "era=7.1,left=strict"): {"no-use-after-free"},
    ("sva-unbind-era", "era=5.14,trigger=other,accesses=0,touch=0"): {"no-use-after-free"},
    ("cmdq-issue", "issue=hand-over-first,batches=1,synced=2"): {"no-deadlock"},
    ("c-free-irq", "free_irq=behind"): {"FreesHeldLock"},
    ("pasid-reuse", "holds=no-grab,accesses=0"): {"no-foreign-teardown"},
    ("pasid-reuse", "holds=no-grab,closer=self,accesses=0"): {"no-foreign-teardown"},
    ("cmdq-issue", "issue=no-swap,batches=1,size=0,synced=2,entries=1"): {"no-deadlock"},
    ("prq-drain", "driver=none"): {"no-cross-binding-fault", "no-fault-handled-after-unbind"},
    ("pasid-reuse", "holds=mmput,iommu=vtd"): {"no-foreign-teardown"},
    ("missing-barrier", "barrier=before-owner-prod"): {"no-deadlock"},
    ("exit-window", "fpd=6.14,order=O5,rogue=1"): {"no-dma-into-foreign-frame"},
}
"""What breaks besides the property that a table names."""
FEW = 100
"""Schedules of what is not exhausted every day and holds: a look, and no proof."""


def params(rows: Iterable[tuple[str, Expected]], *, long: bool = False) -> list[Any]:
    marks = [pytest.mark.long] if long else []
    return [pytest.param(name, row, marks=marks, id=f"{name}-{identity(row)}") for name, row in rows]


KNOWN = [(name, row) for name, row in stated() if (name, identity(row)) in COUNTS]
EXHAUSTED = [(name, row) for name, row in KNOWN if COUNTS[name, identity(row)].schedules is not None]
DAILY = [(name, row) for name, row in EXHAUSTED if not COUNTS[name, identity(row)].is_long]
LONG = [(name, row) for name, row in EXHAUSTED if COUNTS[name, identity(row)].is_long]
HUNTED = [(name, row) for name, row in KNOWN if COUNTS[name, identity(row)].hunted is not None]


@pytest.mark.parametrize(("name", "expected"), [*params(DAILY), *params(LONG, long=True)])
def test_all_inequivalent_schedules_come_to_what_the_table_says(name: str, expected: Expected) -> None:
    count = COUNTS[name, identity(expected)]
    report = exhaust(load(name), expected.params, expected.searched or None)
    steps = report.steps if count.steps is not None else None
    assert (report.schedules, report.failing, steps) == (count.schedules, count.failing, count.steps)
    assert report.complete == (expected.verdict != "not found")
    assert_agrees(expected, report, ALSO.get((name, identity(expected)), set()))


@pytest.mark.parametrize(("name", "expected"), params(HUNTED))
def test_the_default_strategy_finds_what_is_not_exhausted_every_day(name: str, expected: Expected) -> None:
    hunted = COUNTS[name, identity(expected)].hunted
    report = search(load(name), expected.params, default(0), Budget(hunted))
    assert expected.oracle in oracles_of(report)
    assert min(found.at for (oracle, *_), found in report.found.items() if oracle == expected.oracle) == hunted


@pytest.mark.parametrize(("name", "expected"), params((name, row) for name, row in LONG if row.verdict != "violated"))
def test_the_first_schedules_of_what_is_not_exhausted_every_day_violate_nothing(name: str, expected: Expected) -> None:
    report = exhaust(load(name), expected.params, FEW)
    assert (report.schedules, report.failing, report.bounded) == (FEW, 0, 0)


def test_the_record_has_a_line_for_every_row_of_every_table_and_for_nothing_else() -> None:
    """If this fails, `python -m tests.scenarios.counts` makes the lines that are missing."""
    assert list(COUNTS) == [(name, identity(row)) for name, row in stated()]
    assert RECORD.read_text(encoding="utf-8") == text(COUNTS)


def test_no_two_rows_say_the_same_combination() -> None:
    complete = [(name, *load(name).complete(row.params).items()) for name, row in stated()]
    assert len(set(complete)) == len(complete)


def test_what_holds_has_an_exact_number_and_what_breaks_is_found() -> None:
    for name, row in KNOWN:
        count, violated = COUNTS[name, identity(row)], row.verdict == "violated"
        exact = count.schedules is not None
        assert row.verdict in ("holds", "vacuous", "violated", "not found")
        assert exact or count.hunted is not None, f"{name} {identity(row)}: count all, or say `not found`"
        assert count.hunted is None or (violated and (count.is_long or not exact))
        assert bool(row.oracle) == violated
        assert (row.verdict == "not found") == bool(row.searched)
        assert not row.searched or count.schedules == row.searched
