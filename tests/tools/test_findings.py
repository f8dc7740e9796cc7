"""Findings that come from the machinery itself: an oracle with a bug, an actor that fails before its first step."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.schedule import Fifo
from tools.exits import Exit

from .runs import WORLDS, experiment, run
from .test_cli import document


def test_an_oracle_that_fails_at_the_end_is_an_error_of_that_oracle(tmp_path: Path) -> None:
    trace = run("broken_oracle")
    assert trace.finding is not None
    assert (trace.outcome, trace.finding.signature) == ("error", ("KeyError", "forgotten"))
    assert trace.finding.message == f"oracle forgotten raised KeyError: 'P1' ({trace.finding.where})"
    assert trace.finding.step == 0


@pytest.mark.parametrize("command", ["fuzz", "prove"])
def test_a_search_shows_a_broken_oracle_as_a_finding(tmp_path: Path, command: str) -> None:
    code, report = document(command, f"{WORLDS}::broken_oracle", "-o", str(tmp_path))
    (finding,) = report["findings"]
    assert (code, finding["outcome"]) == (Exit.VIOLATED, "error")
    assert document("replay", finding["file"])[0] == Exit.VIOLATED


def test_no_finding_is_before_the_first_step() -> None:
    execution = experiment("ending", way="stillborn").run_once(Fifo())
    assert execution.finding is not None
    assert execution.finding.step == 0
