"""VT-d: its PASID table, invalidation queue and page request queue, what its unit does, and how Linux drives it.

What silicon is comes from `hw.vtd`, flows of the driver from `drivers.vtd`. A name in capitals is a table of variants,
such as `PASID_TABLE_ERAS`: from the words that `-p` takes to classes, each of which overrides one step. What a board is
made of (`contexts=`, `queue=`, `drain=`, `qi=`, `invalidations=`) is a class from here, or one derived from it.
"""

from actors.iommus.vtd.units import VtdUnits
from drivers.vtd.mutants import ForgetsDeviceTlb, ForgetsIotlb
from drivers.vtd.pasid_table import PasidTable
from drivers.vtd.pasid_table_eras import ERAS as PASID_TABLE_ERAS
from drivers.vtd.pasid_table_variants import WRITERS as PASID_ENTRY_WRITERS
from drivers.vtd.pasid_table_variants import Replaces
from drivers.vtd.prq import PageRequestQueue, PrqDrain
from drivers.vtd.prq_completion import CompletesOne, LockedDrain, SharedCompletionDrain
from drivers.vtd.prq_drain_variants import DRIVERS as PRQ_DRIVERS
from drivers.vtd.prq_drain_variants import UNBINDS as PRQ_UNBINDS
from drivers.vtd.prq_drain_variants import HoldsMutex, TakesMutex
from drivers.vtd.qi import Qi
from drivers.vtd.qi_errors import (
    AbortsFetched,
    AsksAndBlocksNothingElse,
    AsksAndRestoresFirst,
    AsksOnlyWhoAnswers,
    BlocksAts,
    LooksForDevice,
    Retries,
    SkipsDisconnected,
    TellsWhoClears,
)
from hw.vtd.descriptors import domain_iotlb, pasid_iotlb
from hw.vtd.iotlb import Iotlb
from hw.vtd.pasid import Did, Qwords, empty_entry, first_level_entry, pass_through_entry
from hw.vtd.pasid import meaning as pasid_entry_meaning
from hw.vtd.pasid import pieces as pasid_entry_pieces
from hw.vtd.prq import Prq
from hw.vtd.qi import InvalidationQueue, ItagReusingQueue
from hw.vtd.state import Vtd

__all__ = [
    "PASID_ENTRY_WRITERS",
    "PASID_TABLE_ERAS",
    "PRQ_DRIVERS",
    "PRQ_UNBINDS",
    "AbortsFetched",
    "AsksAndBlocksNothingElse",
    "AsksAndRestoresFirst",
    "AsksOnlyWhoAnswers",
    "BlocksAts",
    "CompletesOne",
    "Did",
    "ForgetsDeviceTlb",
    "ForgetsIotlb",
    "HoldsMutex",
    "InvalidationQueue",
    "Iotlb",
    "ItagReusingQueue",
    "LockedDrain",
    "LooksForDevice",
    "PageRequestQueue",
    "PasidTable",
    "Prq",
    "PrqDrain",
    "Qi",
    "Qwords",
    "Replaces",
    "Retries",
    "SharedCompletionDrain",
    "SkipsDisconnected",
    "TakesMutex",
    "TellsWhoClears",
    "Vtd",
    "VtdUnits",
    "domain_iotlb",
    "empty_entry",
    "first_level_entry",
    "pasid_entry_meaning",
    "pasid_entry_pieces",
    "pasid_iotlb",
    "pass_through_entry",
]
