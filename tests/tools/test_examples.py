"""The examples in docs/ do what is said of them, through the command line, and use nothing but the public face."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from runpy import run_path

import pytest

from stopmarker import kernel
from tests.searching import exhaust

from .test_cli import call

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "your-own-race.md").read_text(encoding="utf-8")
MOST_LINES = {"vtd_unbind": 30}
VERDICTS = {
    ("lost_completion", "completions=one"): "VIOLATED: 1 of 4 inequivalent schedules",
    ("lost_completion", "completions=locked"): "HOLDS: all 2 inequivalent schedules",
    ("lost_completion", "completions=own"): "HOLDS: all 4 inequivalent schedules",
    ("skipped_notifier", "bind=start-first"): "VIOLATED: 1 of all 5 inequivalent schedules",
    ("skipped_notifier", "bind=count-first"): "HOLDS: all 4 inequivalent schedules",
    ("skipped_notifier", "bind=count-first,barrier=mb,memory=arm"): "HOLDS: all 4 inequivalent schedules",
    ("skipped_notifier", "bind=count-first,barrier=none,memory=arm"): "VIOLATED: 1 of 4 inequivalent schedules",
    ("shared_irq_thread", "first=kfree"): "VIOLATED: 1 of 4 inequivalent schedules",
    ("shared_irq_thread", "first=free_irq"): "HOLDS: all 32 inequivalent schedules",
    ("last_reference", "release=flush"): "VIOLATED: 1 of 1 inequivalent schedule",
    ("last_reference", "release=queue"): "HOLDS: all 2 inequivalent schedules",
    ("vtd_unbind", "unbind=takes-only"): "VIOLATED: 1 of 24 inequivalent schedules",
    ("vtd_unbind", "unbind=full"): "HOLDS: all 23 inequivalent schedules",
    ("starving_reader", "reads=seqcount"): "VIOLATED: found among 64 states, 101 steps from them, ",
    ("starving_reader", "reads=lock"): "HOLDS: all 26 states, 28 steps from them, ",
}
REASONS = {
    "lost_completion": "DEADLOCK no-deadlock: reset waits since step 6 for completion drained",
    "skipped_notifier": "VIOLATION no stale entry: the page is gone, the device still maps it",
    "shared_irq_thread": "VIOLATION no-use-after-free: use after free: data of A, freed at step 3 by remove",
    "vtd_unbind": "VIOLATION no-cross-binding-fault: request #0 was queued for P1 under bind1 and is handled for mm B",
    "starving_reader": "LIVELOCK finishes: reader never finishes, though everybody goes in turn",
    "last_reference": "faults worker waits since step 5 for work fault, which faults worker runs",
}


LONG = "vtd_unbind"
"""Its few runs are made again in many orders, which takes some seconds."""


@pytest.mark.parametrize(
    ("name", "params"),
    [pytest.param(*row, marks=[pytest.mark.long] if row[0] == LONG else []) for row in VERDICTS],
)
def test_an_example_comes_to_what_is_said_of_it(tmp_path: Path, name: str, params: str) -> None:
    given = [part for param in params.split(",") for part in ("-p", param)]
    result = call("prove", f"{DOCS / 'examples' / name}.py::{name}", *given, "-o", str(tmp_path))
    assert VERDICTS[name, params] in result.output
    if VERDICTS[name, params].startswith("VIOLATED"):
        assert REASONS[name] in " ".join(result.output.split())


@pytest.mark.parametrize(("unbind", "counts"), [("takes-only", (66, 4)), ("full", (23, 0))])
def test_the_variant_of_vtd_is_found_and_its_cure_holds(unbind: str, counts: tuple[int, int]) -> None:
    report = exhaust(run_path(str(DOCS / "examples" / "vtd_unbind.py"))["vtd_unbind"], {"unbind": unbind})
    assert report.complete
    assert (report.schedules, report.failing) == counts


@pytest.mark.parametrize("path", sorted((DOCS / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_needs_only_the_public_face(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES.get(path.stem, 40)
    imported = {str(node.module) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if not name.startswith("stopmarker")} <= {"dataclasses"}
    assert not [name for name in imported if name.count(".") > 1]
    assert path.stem in {name for name, _ in VERDICTS}


def test_the_files_of_the_guide_come_to_what_is_said_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict(re.findall(r"Here is `(\w+\.py)`:\n\n```python\n(.*?)```", GUIDE, re.DOTALL))
    assert len(files) == GUIDE.count("```python")
    for name, source in files.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    stopmarker (.*?)  +# (.*)$", GUIDE, re.MULTILINE)
    assert len(commands) == 6
    assert files["vtd_unbind.py"] == (DOCS / "examples" / "vtd_unbind.py").read_text(encoding="utf-8")
    for command, says in commands:
        if LONG in command:  # asked above
            continue
        assert says in call(*shlex.split(command)).output


def test_every_call_in_the_table_of_the_guide_exists() -> None:
    rows = re.findall(r"^\| `.*\| (`[A-Z].*) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 7
    for row in rows:
        kinds = [getattr(kernel, name) for name in re.findall(r"`([A-Z]\w+)`", row)]
        for name in re.findall(r"`([a-z]\w+)`", row):
            assert any(hasattr(kind, name) for kind in kinds), name
