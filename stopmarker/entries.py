"""SMMUv3's table entries and the order in which Linux writes them; none of it needs a world.

`plan_update` says what the entry writer stores, and where it invalidates and waits, to turn one STE or CD into another.
"""

from drivers.smmuv3.entry_writer import CD, STE, Entry, Store, Wait, plan_update
from hw.smmuv3 import cd, ste
from hw.smmuv3.cd import empty_cd, paging_cd, quiet_cd, sva_cd
from hw.smmuv3.ste import abort_ste, bypass_ste, cdtable_ste, stage2_ste

__all__ = [
    "CD",
    "STE",
    "Entry",
    "Store",
    "Wait",
    "abort_ste",
    "bypass_ste",
    "cd",
    "cdtable_ste",
    "empty_cd",
    "paging_cd",
    "plan_update",
    "quiet_cd",
    "stage2_ste",
    "ste",
    "sva_cd",
]
