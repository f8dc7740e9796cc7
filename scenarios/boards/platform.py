"""One board for every IOMMU: what a scenario says about it is said once, and `iommu` chooses what is in the middle.

A new IOMMU is a board, what it offers to which experiment (as in `smmuv3_variants`), and its name in `IOMMUS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
"""As people should read them: the first is what a scenario has if nobody says otherwise."""


def iommu_with(
    *experiments: str, default: str = "smmuv3", meaning: str = "which IOMMU stands between device and memory"
) -> Param[str]:
    """The parameter that chooses among those IOMMUs which take part in all these experiments."""
    names = [name for name, iommu in IOMMUS.items() if all(each in iommu.variants for each in experiments)]
    return one_of(*names, default=default, meaning=meaning)


def words_of(experiment: str) -> tuple[str, ...]:
    """What there is to choose from, with one IOMMU or another; one that offers more than others has the say."""
    offers = [iommu.variants.get(experiment, {}) for iommu in IOMMUS.values()]
    words = dict.fromkeys(word for offer in sorted(offers, key=len, reverse=True) for word in offer)
    return tuple(words)


def parts_of(iommu: str, **words: str) -> Parts:
    """What the words, by experiment, put in the place of which parts of that IOMMU's board.

    BadValue if the IOMMU does not have one of them.
    """
    parts: dict[str, Any] = {}
    for experiment, word in words.items():
        offer = IOMMUS[iommu].variants.get(experiment, {})
        if word not in offer:
            having = _and(each.title for each in IOMMUS.values() if word in each.variants.get(experiment, {}))
            allowed = ", ".join(offer) or "none"
            raise BadValue(
                f"parameter {experiment}={word!r}: only {having} has that; with iommu={iommu} allowed are {allowed}"
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

    `parts` come in the place of what the options say, or of parts of that IOMMU, as `parts_of` has them; `knobs` are
    of its hardware, by name: BadValue if it has not one of them and is not as if it had.
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
            having = _and(each.title for each in others)
            raise BadValue(
                f"parameter {name}={word!r}: a knob of {having} alone; with iommu={iommu} allowed is {right}"
            )
    return fields


def _and(titles: Iterable[str]) -> str:
    return " and ".join(titles)
