"""The command line in one process: results, documents, exit codes, and what is said about bad input."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tools.cli import cli
from tools.commands.show import STYLES
from tools.experiments.strategies import STRATEGIES
from tools.terminal.exits import Exit
from tools.terminal.output import wants_color
from tools.traces.store import save

from .runs import WORLDS, run, violating

UNBINDING = f"{WORLDS}::unbinding"
WALK = ("--strategy", "walk")


def call(*arguments: str) -> Result:
    """Run the command line; whatever it prints, it prints no traceback."""
    result = CliRunner().invoke(cli, list(arguments))
    assert "Traceback" not in result.output
    return result


def document(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = call(*arguments, "--json")
    parsed: dict[str, Any] = json.loads(result.stdout)
    assert parsed["version"] == 1
    return result.exit_code, parsed


@pytest.fixture
def trace_file(tmp_path: Path) -> str:
    return str(save(violating("unbinding"), tmp_path / "traces"))


def test_run_draws_the_plain_order() -> None:
    result = call("run", UNBINDING)
    assert result.exit_code == Exit.NOTHING_VIOLATED
    assert "No violation in this run." in result.stdout


def test_run_with_a_seed_is_always_the_same_run() -> None:
    first, second = (call("run", UNBINDING, "--seed", "3").stdout for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("way", "code", "outcome"),
    [("quiet", 0, "quiet"), ("deadlock", 1, "deadlock"), ("error", 7, "error"), ("bound", 1, "step bound")],
)
def test_run_exits_by_how_the_run_ended(way: str, code: int, outcome: str) -> None:
    assert document("run", f"{WORLDS}::ending", "-p", f"way={way}")[0] == code
    assert document("run", f"{WORLDS}::ending", "-p", f"way={way}")[1]["outcome"] == outcome


def test_a_run_in_which_nobody_steps_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from stopmarker import World, scenario\n@scenario()\ndef mine(world: World): ...\n"
    )
    code, made = document("run", f"{tmp_path}/mine.py::mine")
    assert (code, made["verdict"]) == (Exit.INCONCLUSIVE, "vacuous")
    assert "VACUOUS: no actor takes a step: nothing is shown." in call("run", f"{tmp_path}/mine.py::mine").stdout


def test_a_live_run_replays_under_control() -> None:
    _, live = document("run", UNBINDING, "--live", "--threads")
    code, again = document("replay", live["token"])
    assert (live["outcome"], live["steps"], live["token"]) == (again["outcome"], again["steps"], again["token"])
    assert code == (1 if live["finding"] else 0)


def test_a_recorded_schedule_runs_again_and_on_another_variant() -> None:
    token = violating("unbinding").recipe.token()
    assert call("run", UNBINDING, "--schedule", token).exit_code == Exit.VIOLATED
    diverged = call("run", UNBINDING, "-p", "drain=full", "--schedule", token)
    assert diverged.exit_code == Exit.DIVERGED
    assert "the run ended after 0 choices, the recording has 2" in diverged.stderr


def test_fuzz_stops_at_the_first_violation_and_says_how_to_replay_it(tmp_path: Path) -> None:
    result = call("fuzz", UNBINDING, "-o", str(tmp_path / "found"))
    assert result.exit_code == Exit.VIOLATED
    (file,) = (tmp_path / "found").iterdir()
    assert f"Replay: stopmarker replay {file}" in result.stdout
    assert "[*] VIOLATION no-cross" in result.stdout
    replayed = call("replay", str(file))
    assert replayed.exit_code == Exit.VIOLATED
    assert "identical to the recording, byte for byte" in replayed.stdout


def test_fuzz_keeps_going_and_keeps_each_distinct_finding_once(tmp_path: Path) -> None:
    code, found = document("fuzz", UNBINDING, "-o", str(tmp_path), *WALK, "--keep-going", "--schedules", "300")
    assert (code, found["schedules"], found["verdict"]) == (1, 300, "violated")
    assert found["violations"] > found["distinct"] == len(found["findings"]) == len(list(tmp_path.iterdir())) == 1


def test_fuzz_of_the_fixed_variant_finds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "found"
    code, report = document("fuzz", UNBINDING, "-p", "drain=full", *WALK, "--schedules", "500", "-o", str(folder))
    assert (code, report["schedules"], report["verdict"]) == (0, 500, "not found")
    assert not folder.exists()


def test_fuzz_is_a_function_of_its_seed() -> None:
    ways = [document("fuzz", f"{WORLDS}::ending", *WALK, "--schedules", "50", "--seed", s)[1] for s in "112"]
    digests = [way["digest"] for way in ways]
    assert digests[0] == digests[1] != digests[2]


def test_fuzz_says_when_nothing_is_left_to_try() -> None:
    code, report = document("fuzz", UNBINDING, "-p", "drain=full")
    assert (code, report["verdict"], report["complete"], report["strategy"]) == (0, "not found", True, "portfolio")
    assert (
        "Nothing is left to try: `stopmarker prove` says the bounds."
        in call("fuzz", UNBINDING, "-p", "drain=full").stdout
    )
    assert "A search that ended, not a proof." in call("fuzz", UNBINDING, "-p", "drain=full", *WALK).stdout


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_finds_the_violation_and_it_shrinks_to_the_same_run(name: str, tmp_path: Path) -> None:
    code, report = document("fuzz", UNBINDING, "--strategy", name, "-o", str(tmp_path))
    (finding,) = report["findings"]
    assert (code, report["strategy"], finding["steps"]) == (1, name, 4)
    assert finding["token"] == document("fuzz", UNBINDING, "-o", str(tmp_path))[1]["findings"][0]["token"]


def test_no_shrink_keeps_the_finding_as_it_was_found(tmp_path: Path) -> None:
    whole = document("fuzz", UNBINDING, *WALK, "--seed", "1", "--no-shrink", "-o", str(tmp_path))[1]["findings"][0]
    short = document("fuzz", UNBINDING, *WALK, "--seed", "1", "-o", str(tmp_path))[1]["findings"][0]
    assert (whole["finding"]["oracle"], short["steps"]) == (short["finding"]["oracle"], 4)
    assert whole["steps"] > 4


def test_a_witness_that_is_never_reached_makes_the_search_vacuous() -> None:
    result = call("fuzz", f"{WORLDS}::vacuous", "--schedules", "20")
    assert result.exit_code == Exit.INCONCLUSIVE
    assert "VACUOUS: no schedule reached 'the queue is full'" in result.stdout
    reached = call("fuzz", f"{WORLDS}::vacuous", "-p", "reachable=1", "--schedules", "20")
    assert reached.exit_code == Exit.NOTHING_VIOLATED
    assert "Reached: the queue is full." in reached.stdout


def test_fuzz_ends_with_its_time_budget() -> None:
    code, report = document("fuzz", f"{WORLDS}::crowd", "--budget", "0.01s")
    assert (code, report["verdict"]) == (0, "not found")
    assert report["schedules"] > 0


@pytest.mark.parametrize("budget", ["60", "0s", "-1s", "1y", "s", "1e9s", "inf", ""])
def test_a_budget_needs_a_number_and_a_unit(budget: str) -> None:
    result = call("fuzz", UNBINDING, f"--budget={budget}")
    assert result.exit_code == Exit.USAGE
    assert "such as 60s, 2m or 8h" in result.stderr


def test_replay_shows_the_state_before_a_step(trace_file: str) -> None:
    result = call("replay", trace_file, "--step", "2")
    assert result.exit_code == 0
    assert "smmu.priq  waits for a message from link" in result.stdout
    assert document("replay", trace_file, "--step", "2")[1]["words"] == [[4096, "bind", 2]]


def test_a_token_may_come_in_several_words() -> None:
    token = violating("unbinding").recipe.token()
    assert call("replay", token[:40], token[40:]).exit_code == Exit.VIOLATED


def test_every_style_can_be_asked_for() -> None:
    (choice,) = [option.type for option in cli.commands["show"].params if option.name == "style"]
    assert isinstance(choice, click.Choice)
    assert list(choice.choices) == list(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_show_draws_without_running(trace_file: str, style: str) -> None:
    result = call("show", trace_file, "--style", style, "--all")
    assert result.exit_code == 0
    assert "lookup P1" in result.stdout
    assert document("show", trace_file)[1]["finding"]["oracle"] == "no-cross"


def test_show_puts_two_traces_beside_each_other(trace_file: str, tmp_path: Path) -> None:
    other = str(save(run("unbinding"), tmp_path))
    result = call("show", trace_file, "--diff", other)
    assert result.exit_code == 0
    assert "-- first difference: step 0 ---" in result.stdout
    code, found = document("show", trace_file, "--diff", other)
    assert (code, found["format"], found["first_difference"]) == (0, "stopmarker-diff", 0)
    assert (found["left"]["outcome"], found["right"]["outcome"]) == ("violated", "quiet")
    assert document("show", trace_file, "--diff", trace_file)[1]["first_difference"] is None
    assert "No step differs." in call("show", trace_file, "--diff", trace_file).stdout
    assert call("show", trace_file, "--diff", WORLDS).exit_code == Exit.USAGE


def test_list_names_every_parameter_with_default_and_allowed_values() -> None:
    result = call("list", f"{WORLDS}::crowd")
    assert result.exit_code == 0
    assert "lanes  how many actors\n         default 7; allowed: 1 … 9" in result.stdout
    names = [one["name"] for one in document("list")[1]["scenarios"]]
    assert names == [line.split()[0] for line in call("list").stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fuz"], "Did you mean 'fuzz'?"),
        (["run"], "Missing argument 'SCENARIO'"),
        (["run", "unbind-windo"], "did you mean 'unbind-window'?"),
        (["run", f"{WORLDS}::unbindin"], "did you mean 'unbinding'?"),
        (["run", UNBINDING, "-p", "drian=full"], "did you mean 'drain'?"),
        (["run", UNBINDING, "-p", "drain=ful"], "allowed are none, full; did you mean 'full'?"),
        (["run", UNBINDING, "-p", "drain"], "expected name=value"),
        (["run", UNBINDING, "--seed", "-1"], "is not in the range x>=0"),
        (["run", UNBINDING, "--schedule", "sm1:AAAA"], "read token: checksum differs"),
        (["run", UNBINDING, "--schedule", "sm1:AAAA", "--seed", "1"], "use it without --seed"),
        (["run", UNBINDING, "--threads"], "--threads says how a live run is made: use it with --live"),
        (["fuzz", UNBINDING, "--schedules", "0"], "is not in the range x>=1"),
        (["fuzz", UNBINDING, "-o", f"{WORLDS}/x"], "is not a directory"),
        (["fuzz", UNBINDING, "--strategy", "wlak"], "did you mean 'walk'? (there are: portfolio, walk, pct, pos,"),
        (["replay"], "Missing argument"),
        (["replay", "nothing.smt"], "No such file"),
        (["replay", "sm9:ABC"], "read token 'sm9:ABC'…: a token starts with 'sm1:'"),
        (["run", UNBINDING, "-p", "drain=full", "-p", "drain=none"], "given twice, as 'full' and 'none'"),
        (["replay", "a.smt", "b.smt"], "one at a time"),
        (["replay", "sm1:AA"], "read token"),
        (["show", WORLDS], "not a stopmarker trace"),
        (["show", "x.smt", "--style", "rings"], "is not one of"),
        (["list", "nothing"], "no scenario 'nothing'"),
    ],
)
def test_bad_input_gets_a_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == Exit.USAGE
    assert message in " ".join(result.stderr.split())


def test_an_error_is_a_document_too() -> None:
    code, error = document("run", "nothing")
    assert (code, error["format"], error["exit_code"]) == (2, "stopmarker-error", 2)


def test_a_schedule_fits_its_own_scenario_only() -> None:
    result = call("run", f"{WORLDS}::ending", "--schedule", violating("unbinding").recipe.token())
    assert result.exit_code == Exit.USAGE
    assert "a schedule fits its own scenario only" in result.stderr


def test_damaged_traces_are_refused_and_left_as_they_are(trace_file: str) -> None:
    path = Path(trace_file)
    damaged = path.read_bytes()[:-3]
    path.write_bytes(damaged)
    for command in ("replay", "show"):
        result = call(command, trace_file)
        assert result.exit_code == Exit.USAGE
        assert "is not whole" in result.stderr
    assert path.read_bytes() == damaged


def test_a_trace_of_a_changed_scenario_exits_with_4(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(Path(WORLDS).read_text())
    file = save(run(f"{mine}::crowd", 1), tmp_path)
    mine.write_text(Path(WORLDS).read_text().replace("hello", "goodbye"))
    refused = call("replay", str(file))
    assert (refused.exit_code, refused.stderr) == (
        Exit.USAGE,
        f"stopmarker: {file} would run {mine}, which you have not run before as it is now: look at it, then add "
        "--trust\n",
    )
    result = call("replay", str(file), "--trust")
    assert result.exit_code == Exit.DIVERGED
    assert "then 'hello from 0'; now 'goodbye from 0'" in result.stderr


def test_a_bug_of_our_own_exits_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug\nin two lines")

    monkeypatch.setattr("tools.commands.run.record", broken)
    result = call("run", UNBINDING)
    assert result.exit_code == Exit.INTERNAL
    assert result.stderr.splitlines() == [
        "stopmarker: internal error: RuntimeError: a bug in two lines (-v shows where; please report it)"
    ]


def test_a_finding_whose_file_cannot_be_written_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = call("fuzz", UNBINDING, "-o", str(tmp_path))
    assert result.exit_code == Exit.USAGE
    assert "[*] VIOLATION" in result.stdout
    assert "No space left on device" in result.stderr
    assert not list(tmp_path.iterdir())


class Stream:
    def __init__(self, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("asked", "environment", "terminal", "wanted"),
    [
        (None, {}, True, True),
        (None, {}, False, False),
        (None, {"NO_COLOR": "1"}, True, False),
        (None, {"FORCE_COLOR": "1"}, False, True),
        (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (True, {"NO_COLOR": "1"}, False, True),
        (False, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_one_place_decides_about_colour(
    asked: bool | None, environment: dict[str, str], terminal: bool, wanted: bool
) -> None:
    assert wants_color(asked, environment, Stream(terminal)) is wanted


def test_colour_changes_no_character(trace_file: str) -> None:
    plain, colored = (CliRunner().invoke(cli, ["show", trace_file, way]).stdout for way in ("--no-color", "--color"))
    assert plain != colored
    assert click.unstyle(colored) == plain
