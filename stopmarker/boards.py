"""Boards: devices, an IOMMU, processes and drivers, put together, in which a scenario replaces parts.

`platform` is the board for every IOMMU; `smmuv3_platform` and `vtd_platform` have more parts to replace, each a keyword
(`units=`, `contexts=`, `queue=`, `qi=`, `drain=`, …) that takes a class or whatever else makes the part; of two PASIDs,
`add_second_pasid` and `add_next_owner` give the device work for process B. `stall_board` has no PCIe: its device
stalls. `AttachBoard` changes domains, `LeafBoard` has two-level CD tables. `iommu_with`, `parts_of` and `knob` are for
parameters: which IOMMU, which variant of its driver, which behaviour of the hardware.
"""

from scenarios.boards.attach import ADDRESS as ATTACH_ADDRESS
from scenarios.boards.attach import CPU_ASID, add_function
from scenarios.boards.attach import PASID as ATTACH_PASID
from scenarios.boards.attach import Board as AttachBoard
from scenarios.boards.attach import M as MASTER_M
from scenarios.boards.attach import S as MASTER_S
from scenarios.boards.contexts import add_next_owner, add_second_pasid, second_context
from scenarios.boards.endpoint import FIND, PASID, SID, Platform, links, write_words
from scenarios.boards.invalidations import add_reader, command_queue
from scenarios.boards.iommu import Parts
from scenarios.boards.kernel_half import ADDRESS as KERNEL_ADDRESS
from scenarios.boards.kernel_half import LEVELS as KERNEL_LEVELS
from scenarios.boards.kernel_half import forged_entry, kernel_half
from scenarios.boards.leaf import ADDRESS as LEAF_ADDRESS
from scenarios.boards.leaf import PASID as LEAF_PASID
from scenarios.boards.leaf import LeafBoard
from scenarios.boards.platform import IOMMUS, iommu_with, parts_of, platform, words_of
from scenarios.boards.smmuv3 import SmmuPlatform, smmuv3_platform
from scenarios.boards.stalling import StallBoard, stall_board
from scenarios.boards.vtd import VtdPlatform, vtd_platform
from scenarios.boards.vtd_knobs import fields_of, knob, knobs_of

__all__ = [
    "ATTACH_ADDRESS",
    "ATTACH_PASID",
    "CPU_ASID",
    "FIND",
    "IOMMUS",
    "KERNEL_ADDRESS",
    "KERNEL_LEVELS",
    "LEAF_ADDRESS",
    "LEAF_PASID",
    "MASTER_M",
    "MASTER_S",
    "PASID",
    "SID",
    "AttachBoard",
    "LeafBoard",
    "Parts",
    "Platform",
    "SmmuPlatform",
    "StallBoard",
    "VtdPlatform",
    "add_function",
    "add_next_owner",
    "add_reader",
    "add_second_pasid",
    "command_queue",
    "fields_of",
    "forged_entry",
    "iommu_with",
    "kernel_half",
    "knob",
    "knobs_of",
    "links",
    "parts_of",
    "platform",
    "second_context",
    "smmuv3_platform",
    "stall_board",
    "vtd_platform",
    "words_of",
    "write_words",
]
