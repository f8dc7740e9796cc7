"""One board for every IOMMU: a scenario describes it once, and its parameter `iommu` chooses what is in the middle.

A new IOMMU needs a board, a record of what it offers to which experiment (as in `smmuv3_variants`), and its name in
`IOMMUS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Unpack

from actors.runtime.world import World

from ..parameters import BadValue, Param, one_of
from .endpoint import Options, Platform
from .iommu import Parts
from .smmuv3_variants import SMMUV3
from .vtd_variants import VTD

IOMMUS = {
    iommu.name: iommu
    for iommu in (
        SMMUV3,
        VTD,
    )
}
"""The IOMMUs by name, in the order in which people read them; the first is the default of most scenarios."""


def iommu_with(
    *experiments: str, default: str = "smmuv3", meaning: str = "which IOMMU stands between device and memory"
) -> Param[str]:
    """The parameter that chooses among those IOMMUs which take part in all these experiments."""
    names = [name for name, iommu in IOMMUS.items() if all(each in iommu.variants for each in experiments)]
    return one_of(*names, default=default, meaning=meaning)


def words_of(experiment: str) -> tuple[str, ...]:
    """All words of an experiment, of whichever IOMMU; those of the one that offers most come first."""
    offers = [iommu.variants.get(experiment, {}) for iommu in IOMMUS.values()]
    words = dict.fromkeys(word for offer in sorted(offers, key=len, reverse=True) for word in offer)
    return tuple(words)


def parts_of(iommu: str, **words: str) -> Parts:
    """The parts of that IOMMU's board which the words, given by experiment, replace.

    BadValue if the IOMMU does not have one of the words.
    """
    parts: dict[str, Any] = {}
    for experiment, word in words.items():
        offer = IOMMUS[iommu].variants.get(experiment, {})
        if word not in offer:
            having = [each.title for each in IOMMUS.values() if word in each.variants.get(experiment, {})]
            have = "has" if len(having) == 1 else "have"
            only, allowed = " and ".join(having), ", ".join(offer) or "none"
            raise BadValue(
                f"parameter {experiment}={word!r}: only {only} {have} that; with iommu={iommu} allowed are {allowed}"
            )
        parts |= offer[word]
    return parts


def platform(
    world: World,
    iommu: str = "smmuv3",
    parts: Parts | None = None,
    knobs: Mapping[str, str] | None = None,
    **options: Unpack[Options],
) -> Platform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent.

    `parts` replace what the options say, or parts of that IOMMU, as `parts_of` has them; `knobs` are those of its
    hardware, by name. BadValue for a knob that this IOMMU does not have, unless it is given its default.
    """
    chosen = IOMMUS[iommu]
    hardware = partial(chosen.hardware, **_fields(iommu, knobs or {}))
    return chosen.board(world, hardware=hardware, **{**options, **(parts or {})})


def _fields(iommu: str, knobs: Mapping[str, str]) -> Mapping[str, object]:
    own = IOMMUS[iommu].knobs
    fields: dict[str, object] = {}
    for name, word in knobs.items():
        if name in own:
            fields[own[name].field] = own[name].values[word]
            continue
        others = [each for each in IOMMUS.values() if name in each.knobs]
        if word != (right := others[0].knobs[name].default):
            having = " and ".join(each.title for each in others)
            raise BadValue(
                f"parameter {name}={word!r}: a knob of {having} alone; with iommu={iommu} allowed is {right}"
            )
    return fields
