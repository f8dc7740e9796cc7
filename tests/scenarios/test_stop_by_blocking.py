"""Seed 001, blocking against stopping: each place to block is an error of its own kind, and a real stop is none."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from hw.pcie.events import DeviceError
from scenarios.oracles.device_sees_no_error import DeviceSeesNoError
from scenarios.parameters import BadValue
from scenarios.reset.stop_by_blocking import stop_by_blocking_translation as blocking
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "block=clear-cd": (81, 79),
    "block=abort-ste": (69, 67),
    "block=no-ats": (69, 67),
    "block=quiet-cd": (206, 204),
    "stop=late,accesses=2": (572, 566),
    "stop=first,block=clear-cd,accesses=2": (3, 0),
    "stop=first,block=abort-ste,accesses=2": (3, 0),
    "stop=first,block=no-ats,accesses=2": (3, 0),
    "stop=first,block=quiet-cd,accesses=2": (3, 0),
    "stop=first,present=0": (5, 0),
    "present=0,block=quiet-cd": (1270, 1268),
    "accesses=2,watch=memory": (490, 0),
    "atc=kept,watch=memory": (12, 2),
    "stop=first,atc=kept,accesses=2,watch=memory": (3, 0),
    "traffic=untranslated": (12, 10),
    "traffic=untranslated,block=no-ats,watch=memory": (12, 1),
    "traffic=untranslated,stop=first,accesses=2": (3, 0),
    "iommu=vtd,block=abort-ste": (64, 61),
    "iommu=vtd,block=no-ats": (52, 49),
    "iommu=vtd,block=quiet-cd": (362, 359),
    "iommu=vtd,stop=first,block=clear-cd,accesses=2": (3, 0),
    "iommu=vtd,stop=first,block=abort-ste,accesses=2": (3, 0),
    "iommu=vtd,stop=first,block=no-ats,accesses=2": (3, 0),
    "iommu=vtd,stop=first,block=quiet-cd,accesses=2": (3, 0),
    "iommu=vtd,stop=first,present=0": (14, 0),
    "iommu=vtd,traffic=untranslated": (14, 11),
    "iommu=vtd,traffic=untranslated,stop=first,accesses=2": (3, 0),
    "iommu=vtd,block=abort-ste,accesses=2,watch=memory": (139, 0),
    "iommu=vtd,block=no-ats,accesses=2,watch=memory": (115, 0),
    "iommu=vtd,block=abort-ste,atc=kept,watch=memory": (13, 3),
    "iommu=vtd,block=no-ats,atc=kept,watch=memory": (9, 3),
    "iommu=vtd,block=quiet-cd,atc=kept,watch=memory": (22, 3),
    "iommu=vtd,atc=kept,watch=memory": (353, 0),
    "iommu=vtd,block=quiet-cd,atc=kept,translated=checked,watch=memory": (30, 1),
    "iommu=vtd,block=quiet-cd,atc=kept,translated=checked,watch=memory,pasid_cache=drains": (29, 0),
    "iommu=vtd,stop=first,block=quiet-cd,atc=kept,accesses=2,watch=memory": (3, 0),
    "iommu=vtd,traffic=untranslated,accesses=2,watch=memory": (83, 0),
    "iommu=vtd,traffic=untranslated,block=no-ats,watch=memory": (10, 1),
}
"""Inequivalent schedules of a combination, and how many of them fail."""
BUDGET = 120
ERRORS = {
    ("smmuv3", "clear-cd", "hole"): DeviceError.COMPLETER_ABORT,
    ("smmuv3", "abort-ste", "hole"): DeviceError.UNSUPPORTED_REQUEST,
    ("smmuv3", "no-ats", "hole"): DeviceError.UNSUPPORTED_REQUEST,
    ("smmuv3", "quiet-cd", "hole"): DeviceError.PAGE_REFUSED,
    ("vtd", "clear-cd", "hole"): DeviceError.PAGE_REFUSED,
    ("vtd", "clear-cd", "ur"): DeviceError.UNSUPPORTED_REQUEST,
    ("vtd", "clear-cd", "ca"): DeviceError.COMPLETER_ABORT,
    ("vtd", "abort-ste", "hole"): DeviceError.UNSUPPORTED_REQUEST,
    ("vtd", "no-ats", "hole"): DeviceError.UNSUPPORTED_REQUEST,
    ("vtd", "quiet-cd", "hole"): DeviceError.PAGE_REFUSED,
    ("vtd", "quiet-cd", "ur"): DeviceError.UNSUPPORTED_REQUEST,
}


@pytest.mark.parametrize("expected", blocking.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(blocking, expected, TRACES.get(identity(expected)), budget=BUDGET)


@pytest.mark.parametrize(("iommu", "block", "absent"), ERRORS)
def test_where_translation_ends_decides_which_error_the_device_sees(iommu: str, block: str, absent: str) -> None:
    report = exhaust(blocking, {"iommu": iommu, "block": block, "absent": absent}, BUDGET)
    assert set(report.found) == {(oracle_name(DeviceSeesNoError()), ERRORS[iommu, block, absent].name)}


def test_what_holds_without_an_exact_number_has_it_in_the_long_proofs() -> None:
    inexact = [row for row in blocking.expected if identity(row) not in TRACES]
    assert [identity(row) for row in inexact if row.verdict == "holds"] == [
        "iommu=vtd,watch=memory",
        "iommu=vtd,block=quiet-cd,accesses=2,watch=memory",
    ]
    assert {blocking.complete(row.params)["iommu"] for row in inexact} == {"vtd"}


@pytest.mark.parametrize("iommu", blocking.params["iommu"].allowed)
def test_every_oracle_is_killed_by_some_combination_on_either_iommu(iommu: str) -> None:
    watched = [
        blocking.world(Session(), blocking.complete({"iommu": iommu, "watch": watch})) for watch in ("errors", "memory")
    ]
    oracles = {oracle_name(oracle) for world in watched for oracle in world.oracles}
    rows = [row for row in blocking.expected if blocking.complete(row.params)["iommu"] == iommu]
    assert {row.oracle for row in rows if row.verdict == "violated"} == oracles
    for name in ("stop", "block", "atc", "traffic", "present"):
        assert {blocking.complete(row.params)[name] for row in rows} == set(blocking.params[name].allowed)


@pytest.mark.parametrize(("knob", "word", "right"), [("absent", "ur", "hole"), ("pasid_cache", "drains", "marks")])
def test_smmuv3_has_none_of_the_knobs_of_vtd(knob: str, word: str, right: str) -> None:
    text = f"parameter {knob}='{word}': a knob of VT-d alone; with iommu=smmuv3 allowed is {right}"
    with pytest.raises(BadValue, match=text):
        blocking.world(Session(), blocking.complete({knob: word}))
