"""The invariants that docs/ lists, and the oracles that state them: all of them stated, none twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenarios.oracles
import scenarios.witnesses
from scenarios.catalogue import MODULES, load

ORACLES = Path(scenarios.oracles.__file__).parent
WITNESSES = Path(scenarios.witnesses.__file__).parent
SHARED = {"__init__", "oracle", "response_trail"}
"""Files among the oracles that state no property."""
VTD_PCIE = {
    "I1": {"no-access-after-unbind", "no-dma-into-foreign-frame", "no-success-after-a-time-out"},
    "I2": {"no-dma-into-foreign-frame"},
    "I3": {"every-last-is-answered-once"},
    "I4": {"no-fault-handled-after-unbind", "no-response-after-unbind"},
    "I5": {"no-old-answer-for-a-new-request", "no-stray-response"},
    "I6": {"no-pasid-reuse-while-bound", "no-pasid-reuse-while-referenced"},
    "I7": {"credits-come-back", "credits-stay-within-the-allocation"},
    "I8": {"nobody-waits-for-a-lost-device"},
    "I9": {"fault-after-unbind-is-visible", "fault-log-is-silent-until-stop", "fpd-is-clear-after-unbind"},
    "I10": {"walker-uses-old-or-new"},
    "I11": {"no-itag-has-two-owners"},
    "I12": {"no-write-behind-its-invalidation"},
}
"""Those of vtd-pcie §5.6. Of I8 the runtime states most by itself, see `BUILT_IN`."""
SMMUV3 = {
    "I1": {"no-cross-binding-fault"},
    "I2": {"no-access-through-a-foreign-entry", "one-table-per-asid"},
    "I3": {"no-dma-into-foreign-frame"},
    "I4": {"every-last-is-answered-once", "every-stall-is-resumed", "no-stray-response"},
    "I5": {"walker-uses-old-or-new"},
    "I6": {"no-double-free", "no-use-after-free", "nothing-leaks"},
    "I7": {"cleared-context-stays-clear"},
    "I8": {"no-pasid-reuse-while-bound", "no-pasid-reuse-while-referenced", "nothing-left-when-unbind-returns"},
    "I9": {"every-event-is-taken"},
}
"""Those of smmuv3 §8.4."""
BUILT_IN = {"no-deadlock", "BrokenRule"}
"""Findings of every world: somebody waits for ever; somebody may sleep where that is not allowed."""

IN_C = {
    "UseAfterFree",
    "UseAfterReturn",
    "nothing leaks",
    "the words belong together",
    "the device sees whole descriptors",
}
"""What the runtime of C finds, and properties that a scenario in C states as functions."""


def docstrings() -> Iterator[tuple[str, str]]:
    """Each property by name, with what its file says of itself; witnesses are none, as nothing violates them."""
    for path in sorted(ORACLES.glob("*.py")):
        source = path.read_text()
        if "raise Violation" in source:
            yield path.stem.replace("_", "-"), " ".join((ast.get_docstring(ast.parse(source)) or "").split())


@pytest.mark.parametrize(("text", "stated"), [("vtd-pcie", VTD_PCIE), ("smmuv3", SMMUV3)])
def test_every_invariant_is_stated_by_the_oracles_that_name_it(text: str, stated: dict[str, set[str]]) -> None:
    found: dict[str, set[str]] = {}
    for name, docstring in docstrings():
        for markers in re.findall(rf"{text} (I\d+(?:, I\d+)*)", docstring):
            for marker in markers.split(", "):
                found.setdefault(marker, set()).add(name)
    assert found == stated


def test_every_oracle_is_what_some_shipped_combination_violates() -> None:
    shipped = [expected for name in MODULES for expected in load(name).expected]
    violated = {expected.oracle for expected in shipped if expected.verdict == "violated"}
    assert violated == {name for name, _ in docstrings()} | BUILT_IN | IN_C


def test_what_can_be_violated_is_an_oracle_and_no_witness() -> None:
    def raising(folder: Path) -> set[str]:
        return {path.stem for path in folder.glob("*.py") if "raise Violation" in path.read_text()}

    assert raising(ORACLES) == {path.stem for path in ORACLES.glob("*.py")} - SHARED
    assert raising(WITNESSES) == set()


def test_no_two_oracles_say_the_same() -> None:
    said = [docstring for _, docstring in docstrings()]
    assert len(set(said)) == len(said)


def test_every_scenario_has_a_source_and_every_seed_a_scenario() -> None:
    sources = {name: load(name).source for name in MODULES}
    assert all(sources.values())
    assert set(re.findall(r"seed (\d{3})", " ".join(sources.values()))) == {"000", "001", "002", "003", "004"}
