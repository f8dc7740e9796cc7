"""Seed 001, blocking against stopping: each place to block is an error of its own kind, and a real stop is none."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from hw.pcie.events import DeviceError
from scenarios.oracles.device_sees_no_error import DeviceSeesNoError
from scenarios.parameters import BadValue
from scenarios.reset.stop_by_blocking import stop_by_blocking_translation as blocking
from tests.searching import exhaust

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


@pytest.mark.parametrize(("iommu", "block", "absent"), ERRORS)
def test_where_translation_ends_decides_which_error_the_device_sees(iommu: str, block: str, absent: str) -> None:
    report = exhaust(blocking, {"iommu": iommu, "block": block, "absent": absent}, 120)
    assert set(report.found) == {(oracle_name(DeviceSeesNoError()), ERRORS[iommu, block, absent].name)}


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
