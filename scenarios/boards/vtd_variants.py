"""VT-d as scenarios know it: its board, what its driver offers to their experiments, and the knobs of its hardware."""

from __future__ import annotations

from drivers.kernel.pasid_holds import WithoutGrab
from drivers.kernel.pasid_lifetime import FreedAtMmput, Lifetime
from drivers.vtd.barriers import ClearedLate, DescriptorsUnordered, PresentEarly, RequestsReadEarly
from drivers.vtd.blocking import VTD_ATC
from drivers.vtd.invalidation_orders import VTD_ORDERS
from drivers.vtd.mutants import ForgetsDeviceTlb
from drivers.vtd.notifiers import VTD_NOTIFIERS
from drivers.vtd.prq_variants import CLEAR_PRO
from drivers.vtd.qi_errors import VTD_GATES, Retries
from drivers.vtd.reset_drains import PRQ_DRAINS
from hw.vtd.state import Vtd

from .iommu import Iommu, each
from .vtd import vtd_platform
from .vtd_knobs import KNOBS

VTD = Iommu(
    name="vtd",
    title="VT-d",
    board=vtd_platform,
    hardware=Vtd,
    variants={
        "order": each("contexts", VTD_ORDERS),
        "notifier": each("contexts", VTD_NOTIFIERS),
        "acknowledge": each("queue", CLEAR_PRO),
        "atc": each("contexts", VTD_ATC),
        "end": each("drain", PRQ_DRAINS),
        "ats": each("contexts", VTD_GATES),
        "inv_during_flr": {"answered": {}, "ignored": {"qi": Retries, "time_outs": True}},
        "mutant": {"forget-atc": {"contexts": ForgetsDeviceTlb}},
        "barrier": {
            "all": {},
            "before-iqt": {"qi": DescriptorsUnordered},
            "after-pqt": {"queue": RequestsReadEarly},
            "before-p": {"contexts": PresentEarly},
            "after-p-clear": {"contexts": ClearedLate},
        },
        "holds": each("life", {"mmput": FreedAtMmput, "no-grab": WithoutGrab, "mmdrop": Lifetime}),
    },
    knobs=KNOBS,
)
