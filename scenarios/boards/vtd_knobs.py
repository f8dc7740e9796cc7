"""Parameters of scenarios for what is open about a VT-d unit, or differs between units (vtd-pcie §2 and §10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw.pcie.tlp import CompletionStatus, ResponseCode

from ..parameters import Param, Parameters, one_of
from .iommu import Knob

KNOBS: Mapping[str, Knob] = {
    "refusal": Knob(
        field="absent_entry_code",
        values={"invalid": ResponseCode.INVALID, "failure": ResponseCode.FAILURE},
        meaning="what a page request without a PASID entry gets (vtd-pcie §2.2), or what AMD's software says",
    ),
    "absent": Knob(
        field="absent_entry_answer",
        values={"hole": CompletionStatus.SUCCESS, "ur": CompletionStatus.UR, "ca": CompletionStatus.CA},
        meaning="what a translation request without a PASID entry gets: a hole, or an error, recorded (vtd-pcie §10)",
    ),
    "pr_pasid_check": Knob(
        field="page_requests_checked",
        values={"vtd": True, "none": False},
        meaning="whether a page request looks its PASID entry up: VT-d does (vtd-pcie §2.2), others do not",
    ),
    "translated": Knob(
        field="translated_checked",
        values={"trusted": False, "checked": True},
        meaning="whether AT=10 looks its PASID entry up (that it does not: not verified, vtd-pcie §2.2)",
    ),
    "caching": Knob(
        field="caching_mode",
        values={"off": False, "on": True},
        meaning="CAP.CM, as virtual units have it: absent entries are cached, too (vtd-pcie §3.2)",
    ),
    "pasid_cache": Knob(
        field="pasid_cache_drains",
        values={"marks": False, "drains": True},
        meaning="whether PASID and context cache invalidations wait for requests past their look-up; vtd-pcie §10 "
        "asks it of page requests",
    ),
}


def knob(name: str) -> Param[str]:
    """The parameter of a scenario, which has to have the same name there."""
    chosen = KNOBS[name]
    return one_of(*chosen.values, default=chosen.default, meaning=chosen.meaning)


def knobs_of(given: Parameters) -> dict[str, str]:
    """Those parameters of a run that are knobs."""
    return {name: str(getattr(given, name)) for name in given.declared if name in KNOBS}


def fields_of(given: Parameters) -> dict[str, Any]:
    """What the unit has in its fields for those."""
    return {KNOBS[name].field: KNOBS[name].values[word] for name, word in knobs_of(given).items()}
