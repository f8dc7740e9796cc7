"""Races VTD-R21 and VTD-R23: the invalidation queue, and all who use it, wait for a device that is not there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.devices.atc_writer import add_atc_writer
from actors.devices.removable import RemovableFunction, Slot
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.runtime.world import Cpu, Main, World
from drivers.vtd.pasid_table import PasidTable
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
from hw.bus import VirtAddr
from hw.pcie.events import DeviceLost
from hw.vtd.descriptors import domain_iotlb

from ..boards.vtd import VtdPlatform, vtd_platform
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_invalidation_times_out import NoInvalidationTimesOut
from ..oracles.no_success_after_a_time_out import NoSuccessAfterATimeOut
from ..oracles.nobody_waits_for_a_lost_device import NobodyWaitsForALostDevice
from ..oracles.only_who_asks_a_device_gives_up import OnlyWhoAsksADeviceGivesUp
from ..parameters import number, one_of
from ..scenario import scenario
from ..witnesses.access_behind import AccessBehind
from ..witnesses.device_is_lost import DeviceIsLost
from .device_gone_verdicts import EXPECTED

DRIVERS: dict[str, tuple[type[Retries], type[PasidTable]]] = {
    "retries": (Retries, PasidTable),
    "looks-before": (Retries, SkipsDisconnected),
    "looks-again": (LooksForDevice, SkipsDisconnected),
    "tells-who-clears": (TellsWhoClears, SkipsDisconnected),
    "aborts-fetched": (AbortsFetched, SkipsDisconnected),
    "gate-alone": (LooksForDevice, AsksAndBlocksNothingElse),
    "restores-first": (LooksForDevice, AsksAndRestoresFirst),
    "blocks-ats": (LooksForDevice, AsksOnlyWhoAnswers),
}


@scenario(
    source="4fc82cd907ac, 80a9b50c0b9e (2024): iommu/vt-d: ATS invalidation of a disconnected device; "
    "v8 of December 2025: Disable ATS via iommu during PCI resets",
    expected=EXPECTED,
    driver=one_of(*DRIVERS, default="retries", meaning="when the driver finds out that nobody will answer"),
    loss=one_of("unplugged", "reset", default="unplugged", meaning="reset: the device comes back"),
    others=number(0, 1, default=0, meaning="another CPU that empties the IOTLB meanwhile, and asks no device"),
    accesses=number(0, 1, default=0, meaning="writes of the device to the page, which its ATC has"),
)
def device_gone(world: World, *, driver: str, loss: str, others: int, accesses: int) -> None:
    """A device is pulled out, or reset, while a process unmaps memory that the device has cached."""
    qi, contexts = DRIVERS[driver]
    slot = Slot(disconnected=world.word("disconnected"))
    board = vtd_platform(
        world,
        device=partial(RemovableFunction, slot=slot),
        repeats=0,
        contexts=_contexts(world, contexts, slot),
        qi=partial(qi, device=slot) if issubclass(qi, LooksForDevice) else qi,
        time_outs=True,
    )
    device, mm = board.device, board.mm_a
    assert isinstance(device, RemovableFunction)
    board.make_present(world, warm=True, cached=True)

    async def unplug(cpu: Cpu) -> None:
        await device.lose(cpu)
        await cpu.store(slot.disconnected, 1, "disconnected = 1")

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        if accesses:  # else nobody looks into the IOTLB
            await board.contexts.invalidate_iotlb(cpu, board.bond)
        await board.contexts.invalidate_atc(cpu, board.bond)

    async def unmap(cpu: Cpu) -> None:
        await mm.unmap(cpu, mm.pages[0])

    async def other(cpu: Cpu) -> None:
        await board.qi.submit(cpu, domain_iotlb(board.contexts.did(board.bond)))

    mm.register(invalidate=invalidate)
    if accesses:
        add_atc_writer(world, device, mm.pages[0])
    board.add_hardware(world)
    add_invalidation_timer(board.units, device)
    world.add_actor("hotplug", unplug if loss == "unplugged" else _reset(board, device))
    world.add_actor("notifier", unmap)
    if others:
        world.add_actor("other CPU", other)

    world.check(NobodyWaitsForALostDevice() if loss == "unplugged" else NoInvalidationTimesOut())
    world.check(NoSuccessAfterATimeOut(), NoDmaIntoForeignFrame(), OnlyWhoAsksADeviceGivesUp())
    world.expect(AccessBehind(DeviceLost) if accesses and loss == "reset" else DeviceIsLost())


def _contexts(world: World, kind: type[PasidTable], slot: Slot) -> Callable[..., PasidTable]:
    """With what those of a kind have to know beside their table."""
    told: Callable[..., PasidTable] = kind
    if issubclass(kind, SkipsDisconnected):
        told = partial(told, device=slot)
    if issubclass(kind, BlocksAts):
        told = partial(told, gate=world.spinlock("devices_lock"))
    return told


def _reset(board: VtdPlatform, device: RemovableFunction) -> Main:
    gate = board.contexts if isinstance(board.contexts, BlocksAts) else None

    async def reset(cpu: Cpu) -> None:
        if gate:
            await gate.prepare(cpu, board.bond)
        await device.lose(cpu)
        await device.come_back(cpu)
        if gate:
            await gate.done(cpu, board.bond)

    return reset
