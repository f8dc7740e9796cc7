"""One board for both IOMMUs: what a scenario says about it is said once, and `iommu` chooses what is in the middle."""

from __future__ import annotations

from typing import Unpack

from actors.runtime.world import World

from ..scenario import one_of
from .endpoint import Options, Platform
from .smmuv3 import smmuv3_platform
from .vtd import vtd_platform

IOMMU = one_of("smmuv3", "vtd", default="smmuv3", meaning="which IOMMU stands between device and memory")


def platform(world: World, iommu: str = "smmuv3", **options: Unpack[Options]) -> Platform:
    """Assemble one; process A is bound to PASID 1 and the device has found its pages absent."""
    if iommu == "vtd":
        return vtd_platform(world, **options)
    return smmuv3_platform(world, **options)
