"""The matrix: which cells there are, how they are cut into shards, and that this depends on nothing but the options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import catalogue
from tools.campaign import probe
from tools.campaign.cells import CANARY, CampaignOptions, Cell, make_matrix, parse_part
from tools.campaign.ledger import Lease
from tools.campaign.shard import TURNS, run_shard, strategy_of
from tools.campaign.sizing import sized
from tools.campaign.work import Killed, Result
from tools.experiments.experiment import open_experiment
from tools.experiments.strategies import SEEDLESS, STRATEGIES
from tools.terminal.exits import Refusal
from tools.terminal.interrupt import StopRequest

from .engines import ENDING, UNBINDING, WORLDS, Inline, options_of


def cell(strategy: str = "walk", size: int = 10) -> Cell:
    return Cell(scenario="mm-pin", params=(), strategy=strategy, size=size)


def test_all_means_each_stated_verdict_once_and_the_defaults_where_none_is_stated() -> None:
    wanted = set()
    for name in catalogue.MODULES:
        rows = [row.params for row in catalogue.load(name).expected] or [{}]
        wanted |= {(name, *open_experiment(name, dict(params)).params.values()) for params in rows}
    cells = make_matrix([], [], ["walk"], size=1)
    made = {(one.scenario, *open_experiment(one.scenario, dict(one.params)).params.values()) for one in cells}
    assert len(cells) == len(made)
    assert made == wanted
    assert make_matrix(["all"], [], ["walk"], size=1) == cells


def test_parameters_make_a_grid_in_the_order_given() -> None:
    cells = make_matrix([ENDING], ["way=error,quiet,error"], ["walk", "pct"], size=5)
    assert [one.label for one in cells] == [
        f"{ENDING} way=error [walk]",
        f"{ENDING} way=error [pct]",
        f"{ENDING} [walk]",
        f"{ENDING} [pct]",
    ]


def test_a_scenario_without_stated_verdicts_has_its_defaults() -> None:
    (only,) = make_matrix([UNBINDING, UNBINDING], [], ["walk"], size=5)
    assert only == Cell(scenario=UNBINDING, params=(), strategy="walk", size=5)


@pytest.mark.parametrize(
    ("scenarios", "params", "strategy", "message"),
    [
        (["mm-pim"], [], "walk", "no scenario 'mm-pim'; did you mean 'mm-pin'"),
        (["mm-pin"], ["pin=grap"], "walk", "parameter pin='grap': allowed are no-grab, grab; did you mean 'grab'"),
        (["unbind-window"], ["priq=5"], "walk", "parameter priq='5': allowed are 0, 1, 2, 3, 4$"),
        (["mm-pin"], ["pi=grab"], "walk", "scenario mm-pin has no parameter 'pi'; did you mean 'pin'"),
        (["mm-pin"], ["pin"], "walk", "parameter 'pin': expected name=value"),
        (["mm-pin"], [], "wlak", "strategy 'wlak'; did you mean 'walk'"),
    ],
)
def test_bad_input_is_said_before_anything_runs(
    scenarios: list[str], params: list[str], strategy: str, message: str
) -> None:
    with pytest.raises(Refusal, match=message.replace("(", r"\(")):
        make_matrix(scenarios, params, [strategy])


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1", "1/0", "a/b", "1/3/5", "-1/3", "9999999/9999999"])
def test_a_part_is_one_of_so_many(text: str) -> None:
    with pytest.raises(Refusal, match="expected k/N with k from 1 to N"):
        parse_part(text)


def test_a_shard_takes_about_as_many_steps_whatever_the_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_SECONDS", math.inf)
    cells = make_matrix([f"{WORLDS}::writers"], ["n=2,9"], ["walk", "pct"])
    probes: list[str] = []
    engine = Inline(lambda lease, result: probes.append(str(lease)))
    small, _, large, _ = sized(cells, None, engine, StopRequest())
    assert (small.size, large.size) == (50_000, 16_000)  # at most so many schedules; 150,000 steps
    assert probes == [f"a probe of {WORLDS}::writers n={n}" for n in (2, 9)]
    assert [cell.size for cell in sized(cells, 20_000, Inline(), StopRequest())] == [20_000, 20_000, 16_000, 16_000]


class Fatal(Inline):
    """Its worker dies of everything, the first time of nothing else than being killed by somebody."""

    deaths = 0

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        self.deaths += 1
        return [(self.out.pop(), Killed("its worker died", int(self.deaths > 1)))]


def test_what_kills_whoever_tries_it_is_one_large_shard() -> None:
    engine = Fatal()
    (cell,) = sized(make_matrix([ENDING], [], ["walk"]), 700, engine, StopRequest())
    assert (cell.size, engine.deaths) == (700, 4)


def test_a_world_that_cannot_be_built_has_no_size(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from stopmarker import World, scenario\n"
        "@scenario()\ndef unbuildable(world: World) -> None:\n    raise ValueError('no such world')\n"
    )
    with pytest.raises(Refusal, match=r"build .*::unbuildable: ValueError: no such world"):
        sized(make_matrix([f"{file}::unbuildable"], [], ["walk"]), 700, Inline(), StopRequest())


def test_schedules_are_cut_into_shards_the_last_of_which_is_smaller() -> None:
    options = CampaignOptions(cells=(cell(), cell("dpor")), schedules=25)
    assert [options.shards_of(one) for one in options.all_cells] == [3, 3, 1]
    assert [options.shard(1, number).schedules for number in range(3)] == [10, 10, 5]
    assert options.shard(2, 0).schedules == 25  # draws nothing: one shard, four times as long at most
    assert options.shard(0, 2).schedules == CANARY.size


def test_a_budget_of_time_has_no_last_shard() -> None:
    options = CampaignOptions(cells=(cell(), cell("dpor")), budget=60.0)
    assert [options.shards_of(one) for one in options.all_cells] == [None, None, 1]
    assert options.shard(1, 1_000_000).schedules == 10
    assert options.shard(2, 0).schedules == 40


def test_a_seed_depends_on_the_cell_and_not_on_what_else_there_is() -> None:
    alone, among = CampaignOptions(cells=(cell(),)), CampaignOptions(cells=(cell("pct"), cell()))
    assert alone.shard(1, 7) == among.shard(2, 7)
    seeds = {among.shard(one, number).seed for one in range(3) for number in range(10)}
    assert len(seeds) == 30
    assert replace(alone, seed=1).shard(1, 7).seed not in seeds


@given(st.integers(1, 9), st.integers(0, 20), st.integers(0, 60))
def test_each_shard_belongs_to_one_part_and_the_canary_to_all(parts: int, cell_number: int, number: int) -> None:
    whole = CampaignOptions(cells=(cell(),))
    owners = [k for k in range(1, parts + 1) if replace(whole, part=(k, parts)).is_mine(cell_number, number)]
    assert len(owners) == (1 if cell_number else parts)


@given(st.integers(1, 9), st.data(), st.integers(0, 20))
def test_the_next_shard_of_a_part_is_the_nearest(parts: int, data: st.DataObject, number: int) -> None:
    options = CampaignOptions(cells=(cell(),), part=(data.draw(st.integers(1, parts)), parts))
    following = options.next_mine(1, number)
    assert options.is_mine(1, following)
    assert not [earlier for earlier in range(number, following) if options.is_mine(1, earlier)]


def test_options_are_written_and_read_without_a_difference() -> None:
    options = options_of(ENDING, params=["way=error,quiet"], seed=3, part=(2, 5))
    assert CampaignOptions.unpack(options.pack()) == options
    assert CampaignOptions.unpack(replace(options, schedules=None, budget=1.5).pack()).budget == 1.5


def test_equal_shards_come_to_the_same() -> None:
    shard = options_of(UNBINDING).shard(1, 2)
    first, second = run_shard(shard), run_shard(shard)
    assert replace(first, seconds=0, memory=0) == replace(second, seconds=0, memory=0)
    assert (first.schedules, first.failures[0].signature) == (20, ("no-cross", "P1"))


def test_the_portfolio_goes_on_with_one_strategy_a_shard() -> None:
    options = options_of(UNBINDING, strategy="portfolio", schedules=10_000)
    first = [type(strategy_of(options.shard(1, number))).__name__ for number in range(9)]
    assert first == ["Portfolio"] + ["Endless"] * 8
    assert set(TURNS) <= set(STRATEGIES) - SEEDLESS
