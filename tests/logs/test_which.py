"""`stopmarker which`: what a scenario's row says that a log shows is what some failing run of it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.runtime.runs.scheduler import RandomWalk, Replay
from scenarios import catalogue
from scenarios.scenario import Expected
from tests.searching import first_found, identity
from tools.cli import cli
from tools.experiments.experiment import open_experiment
from tools.logs.leavings import of_record, of_run
from tools.terminal.exits import Exit
from tools.traces.trace import Trace, record

from .reading import SAMPLES, only
from .test_dmar_lines import fault
from .test_smmu_lines import STALLED, UNIT, raw

ROWS = [(name, row) for name in catalogue.MODULES for row in catalogue.load(name).expected if row.leaves]
RUNS = 100


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["which", *words])


def failing(name: str, row: Expected) -> Iterator[Trace]:
    """Runs that break the property of a row: random ones, then the first that a search meets."""
    made = open_experiment(name, row.params)
    for seed in range(RUNS):
        execution = made.run_once(RandomWalk(seed))
        if execution.finding is not None and execution.finding.oracle == row.oracle:
            yield record(made.recipe(execution.schedule), execution)
    execution = made.run_once(Replay(first_found(catalogue.load(name), row.params).schedule))
    yield record(made.recipe(execution.schedule), execution)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{name}:{identity(row)}" for name, row in ROWS])
def test_a_failing_run_leaves_what_its_row_says(name: str, row: Expected) -> None:
    assert row.verdict == "violated"
    assert any(of_run(trace.events) >= set(row.leaves) for trace in failing(name, row))


def test_so_many_rows_leave_something() -> None:
    assert len(ROWS) == 25


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (raw(0x10, STALLED), "F_TRANSLATION stalled"),
        (raw(0x10, (0x4200005810, 0x20000000000, 0x9000, 0)), "F_TRANSLATION"),
        (raw(0x10, STALLED)[:2], ""),
        (raw(0x10, (0x4200000010, 0x20000000000, 0x9000, 0)), ""),
        ([fault(0x71, "NO_PASID")], ""),
        ([f"{UNIT}EVTQ overflow detected -- events lost"], "EVTQ overflow"),
        ([f"{UNIT}CMDQ error (cons 0x03000000): ATC invalidate timeout"], "CERROR_ATC_INV_SYNC"),
        ([fault(0x71)], "FIRST_LEVEL_P"),
        (["DMAR: VT-d detected Invalidation Time-out Error: SID 5300"], "ITE"),
        (["DMAR: Invalidation Time-out Error (ITE) cleared"], ""),
        (["DMAR: DRHD: handling fault status reg 2"], ""),
    ],
)
def test_what_records_are_called(lines: list[str], name: str) -> None:
    assert of_record(only(*lines)) == name


def test_a_word_names_its_scenarios() -> None:
    result = call("f_translation", "Stalled")
    assert result.exit_code == Exit.NOTHING_VIOLATED
    assert result.stdout.splitlines()[0] == "F_TRANSLATION stalled"
    assert "    stopmarker prove stall-term -p order=no-sync" in result.stdout.splitlines()
    assert call("ITE").stdout.count("stopmarker prove device-gone") == 3


def test_a_log_names_its_scenarios_the_rarest_first() -> None:
    (path,) = (str(path) for path in SAMPLES if path.stem == "made-up")
    result = call(path)
    assert result.exit_code == Exit.NOTHING_VIOLATED
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "C_BAD_CD (line 3)",
        "    stopmarker prove stop-by-blocking-translation -p traffic=untranslated",
        "F_TRANSLATION stalled (line 8)",
    ]
    assert lines[-1] == "No scenario leaves EVTQ overflow."
    found = json.loads(call(path, "--json").stdout)
    assert list(found["found"]) == ["C_BAD_CD", "F_TRANSLATION stalled"]
    assert found["other"] == ["EVTQ overflow"]


def test_what_nobody_leaves(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(fault(0x70))
    result = call(str(log))
    assert (result.exit_code, result.stdout) == (Exit.NOTHING_SELECTED, "No scenario leaves FIRST_LEVEL_ACCESS.\n")
    log.write_text("usb 1-1: new device\n")
    assert call(str(log)).exit_code == Exit.NOTHING_SELECTED
    refused = call("hung", "task")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (Exit.USAGE, "", 1)
    assert "neither a log nor what a scenario leaves (CERROR_ATC_INV_SYNC, CERROR_ILL, " in refused.stderr
