"""SMMUv3 as scenarios know it: its board, and what its driver offers to their experiments."""

from __future__ import annotations

from drivers.kernel.pasid_holds import PinsAsid, PinsAsidFreedAtMmput, PinsAsidWithoutGrab
from drivers.smmuv3.barriers import CommandsUnordered, EntriesReadEarly, EntriesReadLate, ValidEarly
from drivers.smmuv3.blocking import ATC
from drivers.smmuv3.invalidation_orders import ORDERS
from drivers.smmuv3.mutants import ForgetsAtc
from drivers.smmuv3.notifiers import NOTIFIERS
from drivers.smmuv3.priq_variants import ACKNOWLEDGE
from drivers.smmuv3.reset_drains import PRIQ_DRAINS
from drivers.smmuv3.reset_gate import GATES
from hw.smmuv3.state import Smmu

from .iommu import Iommu, each
from .smmuv3 import smmuv3_platform

SMMUV3 = Iommu(
    name="smmuv3",
    title="SMMUv3",
    board=smmuv3_platform,
    hardware=Smmu,
    variants={
        "order": each("contexts", ORDERS),
        "notifier": each("contexts", NOTIFIERS),
        "acknowledge": each("queue", ACKNOWLEDGE),
        "atc": each("contexts", ATC),
        "end": each("drain", PRIQ_DRAINS),
        "ats": each("contexts", GATES),
        "inv_during_flr": {"answered": {}, "ignored": {}},
        "mutant": {"forget-atc": {"contexts": ForgetsAtc}},
        "barrier": {
            "all": {},
            "before-cmdq-prod": {"commands_by": CommandsUnordered},
            "after-priq-prod": {"queue": EntriesReadEarly},
            "before-priq-cons": {"queue": EntriesReadLate},
            "before-cd-valid": {"contexts": ValidEarly},
            "all-lock-free": {},  # of a queue that has no board
            "before-valid-mark": {},
            "before-owner-prod": {},
        },
        "holds": each("life", {"mmput": PinsAsidFreedAtMmput, "no-grab": PinsAsidWithoutGrab, "mmdrop": PinsAsid}),
    },
)
