"""Seed 001, blocking against stopping: each place to block is an error of its own kind, and a real stop is none."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.world import Session
from hw.pcie.events import DeviceError
from scenarios.oracles.device_sees_no_error import DeviceSeesNoError
from scenarios.scenario import Expected
from scenarios.stop_by_blocking import stop_by_blocking_translation as blocking
from tests.searching import assert_agrees, exhaust, identity

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
}
ERRORS = {
    "clear-cd": DeviceError.COMPLETER_ABORT,
    "abort-ste": DeviceError.UNSUPPORTED_REQUEST,
    "no-ats": DeviceError.UNSUPPORTED_REQUEST,
    "quiet-cd": DeviceError.PAGE_REFUSED,
}


@pytest.mark.parametrize("expected", blocking.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    report = exhaust(blocking, expected.params)
    assert_agrees(expected, report)
    assert report.complete
    assert (report.schedules, report.failing) == TRACES[identity(expected)]


@pytest.mark.parametrize("block", blocking.params["block"].allowed)
def test_where_translation_ends_decides_which_error_the_device_sees(block: str) -> None:
    assert set(exhaust(blocking, {"block": block}).found) == {
        (oracle_name(DeviceSeesNoError()), ERRORS[block].name),
    }


def test_every_oracle_is_killed_by_some_combination() -> None:
    watched = [blocking.world(Session(), blocking.complete({"watch": watch})) for watch in ("errors", "memory")]
    oracles = {oracle_name(oracle) for world in watched for oracle in world.oracles}
    assert {expected.oracle for expected in blocking.expected if expected.verdict == "violated"} == oracles
