"""Coverage: what is counted, how it adds up, and what is said of what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import RandomWalk
from tests.explore.searching import search, worlds
from tests.models import pri_window
from tools.campaign.coverage import Coverage
from tools.campaign.saturation import estimate, saturation
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Budget
from tools.explore.strategies.endless import Endless

PAIRS = {
    "device: issue PPR -> unbind: store bind @ bind": 19,
    "unbind: store bind -> device: issue PPR @ bind": 14,
    "unbind: store bind -> worker: load bind @ bind": 19,
    "worker: load bind -> unbind: store bind @ bind": 14,
}


def covered(every: int = 1, schedules: int | None = None, first: int = 0) -> Coverage:
    coverage = Coverage(every=every, first=first)
    search(worlds(pri_window), Dpor(), Budget(schedules=schedules), watch=coverage.add)
    return coverage


def test_pairs_of_all_twenty_traces() -> None:
    coverage = covered()
    assert (coverage.schedules, coverage.pairs, coverage.goals) == (20, PAIRS, {})
    assert coverage.counts == {
        "schedules": 20,
        "samples": 20,
        **{f"pair {pair}": count for pair, count in PAIRS.items()},
    }


def test_add_tells_what_is_new_and_the_sum_of_that_is_what_was_seen() -> None:
    new: list[int] = []
    coverage = Coverage()

    def watch(execution: Execution) -> None:
        new.append(coverage.add(execution))

    search(worlds(pri_window), Dpor(), watch=watch)
    assert sum(new) == len(coverage.pairs) == 4
    assert new[0] == 2


def test_each_third_schedule_is_looked_at_if_asked_so() -> None:
    coverage = covered(every=3)
    assert (coverage.schedules, coverage.counts["samples"]) == (20, 7)
    assert max(coverage.pairs.values()) <= 7
    assert covered(every=3, first=8).counts["samples"] == 8 + 4
    with pytest.raises(ValueError, match="each 0-th schedule: 1 or more"):
        Coverage(every=0)


def test_a_session_of_its_own_for_each_part_changes_nothing() -> None:
    coverage = Coverage()
    for _ in range(2):
        search(worlds(pri_window), Dpor(), watch=coverage.add)
    assert coverage.pairs == {pair: 2 * count for pair, count in PAIRS.items()}


KEYS = st.sampled_from(["schedules", "samples", "pair a", "pair b", "goal g"])
PARTS = st.lists(st.dictionaries(KEYS, st.integers(0, 9)), max_size=6)


@given(PARTS.flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_merging_is_adding_in_any_order(orders: tuple[list[dict[str, int]], list[dict[str, int]]]) -> None:
    parts, shuffled = orders

    def total(given: Sequence[dict[str, int]]) -> dict[str, int]:
        coverage = Coverage()
        for part in given:
            coverage.merge(part)
        return coverage.counts

    assert total(parts) == total(shuffled)
    assert sum(total(parts).values()) == sum(sum(part.values()) for part in parts)
    halves = Coverage(total(parts[: len(parts) // 2]))
    halves.merge(Coverage(total(parts[len(parts) // 2 :])))
    assert halves.counts == total(parts)


@pytest.mark.parametrize(
    ("samples", "seen", "once", "twice", "unseen", "error", "rate"),
    [
        (0, 0, 0, 0, 0.0, 0.0, 0.0),
        (1, 4, 4, 0, 0.0, 0.0, 4.0),
        (100, 30, 0, 5, 0.0, 0.0, 0.0),
        # By hand: A = 99/100; A 10^2 / (2 * 5) = 9.9; 5 (A/2 * 2^2 + A^2 2^3 + A^2/4 2^4) = 68.706, of which the root.
        (100, 30, 10, 5, 9.9, 8.288908, 0.1),
        # A 3 * 2 / 2 = 2.97; A 3 + A^2 3 * 25 / 4 - A^2 81 / (4 * 22.97) = 20.48283, of which the root.
        (100, 20, 3, 0, 2.97, 4.525796, 0.03),
    ],
)
def test_what_is_unseen(
    samples: int, seen: int, once: int, twice: int, unseen: float, error: float, rate: float
) -> None:
    found = estimate(samples, seen, once, twice)
    assert (found.unseen, found.error, found.rate) == pytest.approx((unseen, error, rate), abs=1e-5)


def test_nothing_seen_once_is_told_as_that_and_no_percentage_is() -> None:
    assert str(saturation(covered().counts)) == (
        "4 pairs seen in 20 schedules, each more than once: none is known to be missing"
    )
    early = Coverage()
    search(worlds(pri_window), Endless(RandomWalk(1)), Budget(schedules=1), watch=early.add)
    assert "%" not in str(estimate(100, 30, 10, 5))
    assert str(estimate(100, 30, 10, 5)) == (
        "30 pairs seen in 100 schedules, 10 of them in only one: at least 9.9 +- 8.3 more exist, a new one is due in "
        "about 10 schedules, if all are drawn alike"
    )
