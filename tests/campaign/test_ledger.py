"""The books: work is given out once, taken back from workers that died, and comes to the same whoever is faster."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.campaign.campaign import CampaignRun
from tools.campaign.cells import CampaignOptions, Cell, Shard
from tools.campaign.exemplar import Shrinking
from tools.campaign.ledger import Lease, Ledger
from tools.campaign.shard import Seen
from tools.campaign.store import open_to_write
from tools.campaign.views import FAILS, NOT_RUN, PASSES, canary, groups, is_over, set_aside, status, verdict
from tools.campaign.work import Failed, Killed, OtherCode, Result, code_of, perform
from tools.terminal.exits import Exit, Unfinished
from tools.terminal.interrupt import StopRequest

from .engines import ENDING, UNBINDING, WORLDS, Inline, Shuffled, begin, conducted, options_of, result_of


def out(ledger: Ledger, count: int) -> list[Lease]:
    leases = [ledger.lease(0.0) for _ in range(count)]
    return [lease for lease in leases if lease is not None]


def shard_of(lease: Lease) -> tuple[int, int]:
    return lease.cell, lease.number


def done(ledger: Ledger, lease: Lease) -> None:
    result = perform(lease.task, code_of(lease.task.cell))
    assert isinstance(result, Seen)
    ledger.done(lease, result)


def test_cells_have_their_turns_and_the_canary_has_its_turns_too(tmp_path: Path) -> None:
    with begin(tmp_path, options_of(ENDING, params=["way=error,quiet"], schedules=60)) as store:
        leases = out(Ledger(store), 20)
        assert [shard_of(lease) for lease in leases] == [(cell, number) for number in range(3) for cell in range(3)]


def test_the_canary_gets_a_shard_only_beside_other_work(tmp_path: Path) -> None:
    options = CampaignOptions(cells=(Cell(scenario=UNBINDING, params=(), strategy="portfolio", size=20),), budget=60.0)
    with begin(tmp_path, options) as store:
        ledger = Ledger(store)
        first = out(ledger, 9)  # the second shard waits for what the first says
        assert [shard_of(lease) for lease in first] == [(0, 0), (1, 0), (0, 1)]
        done(ledger, first[1])  # all 6 schedules of that world: nothing is left
        shrinking = out(ledger, 9)
        assert [type(lease.task) for lease in shrinking] == [Shrinking]
        assert status(store).complete == 1


def test_a_part_has_its_share_and_begins_where_that_begins(tmp_path: Path) -> None:
    taken = {}
    for part in (1, 2, 3):
        options = options_of(ENDING, params=["way=error,quiet"], schedules=100, part=(part, 3))
        with begin(tmp_path / str(part), options) as store:
            taken[part] = {shard_of(lease) for lease in out(Ledger(store), 30)}
    canaries = {(0, number) for number in range(5)}
    assert taken[1] & taken[2] & taken[3] <= canaries
    assert (taken[1] | taken[2] | taken[3]) - canaries == {(cell, number) for cell in (1, 2) for number in range(5)}


def test_what_is_out_is_given_out_again_by_the_next_coordinator(tmp_path: Path) -> None:
    store = begin(tmp_path, options_of(UNBINDING, schedules=40))
    before = [shard_of(lease) for lease in out(Ledger(store), 3)]
    store.close()
    with open_to_write(tmp_path) as again:
        ledger = Ledger(again)
        assert [shard_of(lease) for lease in out(ledger, 9)] == [(1, 1)]
        ledger.recover()
        assert {shard_of(lease) for lease in out(ledger, 9)} == {*before, (1, 1)}
        assert again.one("SELECT sum(kills) FROM shards") == 0


def test_what_kills_three_workers_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    with begin(tmp_path, options_of(UNBINDING, schedules=60)) as store:
        ledger = Ledger(store)
        bad = out(ledger, 2)[1]
        assert [ledger.killed(bad, "killed by 9") for _ in range(2)] == [False, False]
        assert shard_of(out(ledger, 1)[0]) == shard_of(bad)
        assert ledger.killed(bad, "killed by 9")
        assert [(one.what, one.reason) for one in set_aside(store)] == [
            (f"shard 0 of {UNBINDING} [walk]", "killed by 9, 3 times")
        ]
        session = conducted(store)
        assert (session.interrupted, is_over(store)) == (False, True)
        assert dict(store.run("SELECT state, count(*) FROM shards GROUP BY state")) == {"done": 5, "quarantined": 1}


def test_a_failing_schedule_that_cannot_be_shrunk_is_still_reported(tmp_path: Path) -> None:
    class Refusing(Inline):
        def wait(self, seconds: float) -> list[tuple[Lease, Result]]:
            ((lease, result),) = super().wait(seconds)
            return [(lease, Killed("shrinking kills", 3) if lease.failure is not None else result)]

    with begin(tmp_path, options_of(UNBINDING)) as store:
        conducted(store, Refusing())
        (one,) = set_aside(store)
        assert one.what == f"a failing schedule of {UNBINDING} [walk], not shrunk"
        assert one.token is not None and one.token.startswith("sm1:")
        assert (groups(store), verdict(store)) == ([], ("violated", Exit.VIOLATED))


@pytest.mark.parametrize("seed", range(3))
def test_order_and_deaths_change_nothing(tmp_path: Path, seed: int) -> None:
    scenarios = [UNBINDING, ENDING, f"{WORLDS}::lock_order"]
    options = options_of(*scenarios, params=[], seed=1, schedules=60, size=7)
    with begin(tmp_path / "plain", options) as plain, begin(tmp_path / "shuffled", options) as shuffled:
        conducted(plain)
        conducted(shuffled, Shuffled(seed))
        assert result_of(shuffled) == result_of(plain)
        assert (len(groups(plain)), verdict(plain)) == (2, ("violated", Exit.VIOLATED))


def test_a_resumed_campaign_comes_to_the_same(tmp_path: Path) -> None:
    options = options_of(UNBINDING, f"{WORLDS}::lock_order", schedules=60, size=7)
    with begin(tmp_path / "whole", options) as whole:
        conducted(whole)
        wanted = result_of(whole)
    begin(tmp_path / "cut", options).close()
    sessions = 0
    while True:
        with open_to_write(tmp_path / "cut") as store:
            stop = StopRequest()
            left = [5]

            def count(lease: Lease, result: Result, left: list[int] = left, stop: StopRequest = stop) -> None:
                left[0] -= 1
                stop.requested = left[0] == 0

            session = CampaignRun(store, Inline(count), stop)
            session.run()
            sessions += 1
            if is_over(store):
                assert result_of(store) == wanted
                break
    assert sessions == 6


def test_a_canary_that_stops_failing_ends_the_campaign(tmp_path: Path) -> None:
    safe = Cell(scenario="mm-pin", params=(("pin", "grab"),), strategy="walk", size=20)
    with begin(tmp_path, options_of(UNBINDING, canary=safe)) as store:
        assert canary(store) == NOT_RUN
        conducted(store)
        assert (canary(store), verdict(store)) == (PASSES, ("canary does not fail", Exit.INTERNAL))
        assert store.one("SELECT count(*) FROM shards") == 1


def test_a_canary_that_fails_is_as_it_must_be(tmp_path: Path) -> None:
    with begin(tmp_path, options_of(UNBINDING, params=["drain=full"])) as store:
        conducted(store)
        assert (canary(store), verdict(store)) == (FAILS, ("not found", Exit.NOTHING_VIOLATED))


def test_a_shard_that_cannot_be_built_is_set_aside_at_once(tmp_path: Path) -> None:
    class Broken(Inline):
        def wait(self, seconds: float) -> list[tuple[Lease, Result]]:
            ((lease, result),) = super().wait(seconds)
            return [(lease, Failed("build it: no") if lease.cell else result)]

    with begin(tmp_path, options_of(UNBINDING, schedules=40)) as store:
        conducted(store, Broken())
        assert [one.reason for one in set_aside(store)] == ["build it: no"] * 2
        assert verdict(store) == ("incomplete", Exit.INCONCLUSIVE)


def test_a_worker_with_other_models_stops_the_campaign(tmp_path: Path) -> None:
    class Strange(Inline):
        def wait(self, seconds: float) -> list[tuple[Lease, Result]]:
            lease = self.out.pop()
            return [(lease, perform(lease.task, b"another"))]

    with begin(tmp_path, options_of(UNBINDING)) as store:
        with pytest.raises(Unfinished, match="mm-pin, or a module that it uses, is not what the campaign began"):
            conducted(store, Strange())
        assert store.one("SELECT count(*) FROM shards WHERE state = 'done'") == 0
        assert not is_over(store)


def test_a_result_is_what_perform_says_and_nothing_is_raised() -> None:
    cell = Cell(scenario=f"{WORLDS}::nothing", params=(), strategy="walk", size=1)
    shard = Shard(cell=cell, number=0, seed=0, schedules=1)
    assert isinstance(perform(shard, b"x"), OtherCode)
    missing = perform(shard, code_of(cell))
    assert isinstance(missing, Failed)
    assert "no scenario 'nothing'" in missing.reason


def test_no_time_of_day_has_a_part_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def jump() -> float:
        raise AssertionError("a clock that people set was read")

    monkeypatch.setattr("time.time", jump)
    with begin(tmp_path, options_of(UNBINDING)) as store:
        conducted(store)
        assert is_over(store)


def test_a_budget_that_is_used_up_ends_it_and_the_findings_are_still_shrunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("tools.campaign.campaign.time", SimpleNamespace(monotonic=lambda: clock[0]))

    def tick(lease: Lease, result: Result) -> None:
        clock[0] += 1.0

    cells = options_of(UNBINDING).cells
    with begin(tmp_path, CampaignOptions(cells=cells, budget=2.5)) as store:
        session = conducted(store, Inline(tick))
        assert [(row["cell"], row["number"]) for row in store.run("SELECT cell, number FROM shards")] == [
            (0, 0),
            (1, 0),
        ]
        assert (session.seconds, is_over(store), status(store).to_shrink) == (3.0, True, 0)
        assert [group.bucket.oracle for group in groups(store)] == ["no-cross"]
        clock[0] += 1e6  # what passes between two sessions is no part of the budget
        assert conducted(store, Inline(tick)).seconds == 3.0


def test_a_resume_goes_on_with_the_budget_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("tools.campaign.campaign.time", SimpleNamespace(monotonic=lambda: clock[0]))
    stop = StopRequest()

    def tick(lease: Lease, result: Result) -> None:
        clock[0] += 1.0
        stop.requested = clock[0] == 104.0

    cells = options_of(UNBINDING, params=["drain=full"]).cells
    with begin(tmp_path, CampaignOptions(cells=cells, budget=10.0)) as store:
        CampaignRun(store, Inline(tick), stop).run()
        assert (status(store).seconds, is_over(store)) == (4.0, False)
        clock[0] += 1e6
        assert conducted(store, Inline(tick)).seconds == 10.0
        assert is_over(store)
