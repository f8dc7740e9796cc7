"""The library's own actors: a platform with its device, its IOMMU and its kernel threads, to put into your world."""

from actors.devices.device import STYLES, Device
from actors.iommus.smmuv3.units import SmmuUnits
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from actors.threads.reclaim import add_reclaim
from scenarios.boards.endpoint import Platform
from scenarios.boards.platform import platform

__all__ = [
    "STYLES",
    "Device",
    "Platform",
    "SmmuUnits",
    "add_binder",
    "add_fault_worker",
    "add_mmu_notifier",
    "add_pri_thread",
    "add_process",
    "add_reclaim",
    "platform",
]
