"""The first PASID of a range needs a leaf of the two-level CD table: allocated on first use, hooked up in an L1CD, and
the SMMU told (smmuv3 §1.2, §1.4; SMMU-R31)."""

from __future__ import annotations

from drivers.cpu import Cpu, Lock
from drivers.kernel.memory.objects import Object, allocate
from hw.bus import Pasid, PhysAddr, Resource, StreamId
from hw.smmuv3.cd import cd_address
from hw.smmuv3.commands import Command, cfgi_cd
from hw.smmuv3.entry import Qwords
from hw.smmuv3.level1 import CdTableFormat, l1cd, l1cd_address

from ..entry_writer import CD, Entry
from .invalidations import Invalidations

DEVICES: Resource = ("domain", "devices")
FORMAT = CdTableFormat.LEAF_64K


class CdTable:
    """A two-level CD table of one stream, as far as one PASID goes; `leaf` is None until it is needed."""

    def __init__(
        self,
        sid: StreamId,
        level1: PhysAddr,
        space: PhysAddr,
        ssid: Pasid,
        commands: Invalidations,
        leaf: Object | None = None,
    ) -> None:
        """`space` is where the leaf lies, or will lie if there is none yet."""
        self.sid = sid
        self.ssid = ssid
        self.leaf = leaf
        self._descriptor = l1cd_address(level1, ssid, FORMAT)
        self._space = space
        self._commands = commands
        name = f"CD[{ssid}]"
        self._entry = Entry(name, cd_address(space, Pasid(ssid & ((1 << FORMAT.bits) - 1))), CD)

    async def write(self, cpu: Cpu, words: Qwords) -> None:
        """arm_smmu_write_ctx_desc: the CD, with the leaf that it needs."""
        if self.leaf is None:
            await self.add_leaf(cpu)
        assert self.leaf is not None
        await self.leaf.touch(cpu, f"write CD of stream {self.sid}")

        async def sync(cpu: Cpu) -> None:
            await self._commands.sync(cpu, cfgi_cd(self.sid, self.ssid))

        await self._entry.write(cpu, words, sync)

    async def add_leaf(self, cpu: Cpu) -> None:
        """Allocate it, store the L1CD, and make the SMMU forget that the descriptor was invalid."""
        self.leaf = await allocate(cpu, f"CD leaf of stream {self.sid}")
        number = self.ssid >> FORMAT.bits
        await cpu.store(self._descriptor, l1cd(self._space, FORMAT), f"L1CD[{number}]")
        for command in self.hooked_up():
            await self._commands.sync(cpu, command)

    def hooked_up(self) -> tuple[Command, ...]:
        """CFGI_CD with Leaf=0: the first level too."""
        return (cfgi_cd(self.sid, self.ssid, leaf=False),)


class InvalidatesLeafOnly(CdTable):
    """BUG: Leaf=1 drops the CD, which nobody can have cached, and keeps the invalid L1CD, which somebody may have."""

    def hooked_up(self) -> tuple[Command, ...]:
        """As for a CD in a linear table."""
        return (cfgi_cd(self.sid, self.ssid),)


class ForgetsLevel1(CdTable):
    """BUG: leaves it to the CFGI_CD that follows the CD itself, and that has Leaf=1."""

    def hooked_up(self) -> tuple[Command, ...]:
        """No CFGI is sent."""
        return ()


class LeafMaster:
    """A device with a CD table of its own."""

    def __init__(self, table: CdTable) -> None:
        self.table = table


class LeafBind:
    """As since b5bf7778b722: the master and its CD table are known, so no list is walked and no spin lock held."""

    def __init__(self, devices: list[LeafMaster], devices_lock: Lock, sva_lock: Lock) -> None:
        """`devices` are those of the RID domain."""
        self._devices = devices
        self._devices_lock = devices_lock
        self._sva_lock = sva_lock

    async def bind(self, cpu: Cpu, master: LeafMaster, words: Qwords) -> None:
        """Under sva_lock, which is a mutex; `words` is the process's CD."""
        await cpu.lock(self._sva_lock)
        await self.install(cpu, master, words)
        await cpu.unlock(self._sva_lock)

    async def install(self, cpu: Cpu, master: LeafMaster, words: Qwords) -> None:
        """Write the CD where the PASID belongs."""
        await master.table.write(cpu, words)

    async def attach(self, cpu: Cpu, master: LeafMaster) -> None:
        """Somebody else's RID attach: list_add under devices_lock."""
        await cpu.lock(self._devices_lock)
        await cpu.access(f"list_add stream {master.table.sid}", writes=(DEVICES,))
        self._devices.append(master)
        await cpu.unlock(self._devices_lock)


class WalksDevices(LeafBind):
    """BUG: writes the CD of every master on the list, and so allocates with GFP_KERNEL under a spin lock."""

    async def install(self, cpu: Cpu, master: LeafMaster, words: Qwords) -> None:
        """For each device of the RID domain."""
        await cpu.lock(self._devices_lock)
        await cpu.access("walk the devices list", reads=(DEVICES,))
        for each in list(self._devices):
            await each.table.write(cpu, words)
        await cpu.unlock(self._devices_lock)


INSTALL: dict[str, type[LeafBind]] = {"walk-devices": WalksDevices, "one-master": LeafBind}
TABLES: dict[str, type[CdTable]] = {"leaf-0": CdTable, "leaf-1": InvalidatesLeafOnly, "none": ForgetsLevel1}
