"""No dead knobs: whatever a VT-d unit can do in two ways, some shipped combination has it do each."""

from __future__ import annotations

from dataclasses import fields

import pytest

from hw.pcie.tlp import CompletionStatus, ResponseCode
from hw.vtd.state import Vtd
from scenarios.boards.vtd_knobs import KNOBS
from scenarios.catalogue import MODULES, load

OTHERWISE = {"any_order", "report_fetches", "report_walks"}
"""Whether pieces come in any order is said with how many there are; the other is no behaviour."""


def test_every_switch_of_the_unit_is_a_knob() -> None:
    switches = {each.name for each in fields(Vtd) if isinstance(each.default, bool | CompletionStatus | ResponseCode)}
    assert switches == {knob.field for knob in KNOBS.values()} | OTHERWISE


@pytest.mark.parametrize("name", KNOBS)
def test_the_first_value_is_todays_and_every_value_is_in_some_table(name: str) -> None:
    knob = KNOBS[name]
    defaults = {each.name: each.default for each in fields(Vtd)}
    assert next(iter(knob.values.values())) == defaults[knob.field]
    homes = [scenario for scenario in map(load, MODULES) if name in scenario.params]
    used = {home.complete(expected.params)[name] for home in homes for expected in home.expected}
    assert used == set(knob.values)
