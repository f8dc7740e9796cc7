"""The kernel's generic I/O page fault code as of 7.1, for stalls (smmuv3 §3.9, §3.11, §3.12).

A fault finds its handle in the interrupt thread and keeps the raw pointer: only the caller's order protects it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw.bus import Pasid, Resource, StreamId, VirtAddr
from hw.events.link import pasid_resource
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import ResumeResp
from hw.smmuv3.evtq import EventRecord

from ..cpu import Cpu, Lock, Workqueue
from ..events.faults import FaultSettled, Resumed
from ..kernel.memory.objects import Counted, Object
from ..kernel.memory.pasid import Bond, Pasids, resolved
from .cmdq import Cmdq

FAULTS: Resource = ("iopf", "faults")
"""The list of groups that wait for their answer; fault_param->lock protects it."""
PARAM: Resource = ("iopf", "fault_param")
"""The RCU pointer dev->iommu->fault_param."""
REFERENCES: Resource = ("iopf", "fault_param users")
"""The reference count of whatever it points to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWork:
    """A queued work, which says which group it is for."""

    number: int


class StallGroup(Object):
    """iopf_group: one stall is one group (Linux sets LAST always, grpid = STAG)."""

    def __init__(self, number: int, record: EventRecord, bond: Bond | None, param: Counted) -> None:
        super().__init__(f"iopf_group #{number}")
        self.number = number
        self.record = record
        self.bond = bond
        self.param = param


class IopfCore:
    """One device; `handles` are the attach handles by binding."""

    def __init__(
        self,
        pasids: Pasids,
        cmdq: Cmdq,
        workqueue: Workqueue,
        lock: Lock,
        handles: Mapping[int, Object],
        outer: Sequence[Lock] = (),
    ) -> None:
        """`lock` is fault_param->lock; `outer` are those that adding and removing a device take around it."""
        self._pasids = pasids
        self._cmdq = cmdq
        self._workqueue = workqueue
        self._lock = lock
        self._handles = handles
        self._outer = tuple(outer)
        self._param: Counted | None = Counted("fault_param #1", resource=REFERENCES)
        self._params = 1
        self._groups: dict[int, StallGroup] = {}
        self._pending: list[StallGroup] = []

    early_find = True
    """Whether the interrupt thread looks the handler up, and answers Invalid if there is none."""

    async def report(self, cpu: Cpu, number: int, record: EventRecord) -> None:
        """iommu_report_device_fault, in the interrupt thread; a record that is no stall is printed."""
        if not record.stall:
            return
        bond = await self.find(cpu, record.ssid)
        param = await self._get_param(cpu) if bond is not None or not self.early_find else None
        if param is None:
            await self._answer(cpu, number, record, ResumeResp.ABORT)
            await cpu.access("print the event", reads=(pasid_resource(record.ssid),))
            cpu.emit(FaultSettled(number=number, pasid=record.ssid))
            return
        group = StallGroup(number, record, bond, param)
        await cpu.lock(self._lock)
        await cpu.access("faults: add group", writes=(FAULTS,))
        group.born(cpu)
        self._groups[number] = group
        self._pending.append(group)
        await cpu.unlock(self._lock)
        await self._workqueue.queue(GroupWork(number=number))

    async def find(self, cpu: Cpu, pasid: Pasid) -> Bond | None:
        """find_fault_handler: the handle of (group, PASID), without a reference."""
        return await self._pasids.look_up(cpu, pasid)

    async def _get_param(self, cpu: Cpu) -> Counted | None:
        await cpu.access("iopf_get_dev_fault_param", reads=(PARAM,), writes=(REFERENCES,))
        if self._param is not None:
            self._param.touched(cpu, "refcount_inc_not_zero")
            self._param.references += 1
        return self._param

    async def work(self, cpu: Cpu) -> None:
        """The worker: one group after the other."""
        while True:
            number, work = await self._workqueue.take(cpu)
            group = self._groups[work.number]
            code = await self._handle(cpu, group, await self.mm_of(cpu, group))
            await self._respond(cpu, group, code)
            await self._free_group(cpu, group)
            await self._workqueue.finish(number)

    async def mm_of(self, cpu: Cpu, group: StallGroup) -> Bond | None:
        """group->attach_handle->domain->mm."""
        assert group.bond is not None
        handle = self._handles[group.bond.number]
        await cpu.access(
            "group->attach_handle->domain->mm",
            reads=(group.resource, handle.resource, pasid_resource(group.record.ssid)),
        )
        group.touched(cpu, "group->attach_handle")
        handle.touched(cpu, "attach_handle->domain->mm")
        resolved(cpu, group.number, group.record.ssid, group.bond)
        return group.bond

    async def _handle(self, cpu: Cpu, group: StallGroup, bond: Bond | None) -> ResumeResp:
        """iommu_sva_handle_mm."""
        if bond is None or not await bond.mm.get_not_zero(cpu):
            return ResumeResp.ABORT
        found = await bond.mm.handle_fault(cpu, VirtAddr(group.record.address))
        if await bond.mm.put(cpu):
            await bond.mm.exit_mmap(cpu)
        return ResumeResp.RETRY if found else ResumeResp.ABORT

    async def _respond(self, cpu: Cpu, group: StallGroup, code: ResumeResp) -> None:
        """iopf_group_response: only if the group is still on the list."""
        await cpu.lock(self._lock)
        await cpu.access("group: still pending?", reads=(FAULTS, group.resource))
        group.touched(cpu, "list_empty(&group->pending_node)")
        if group in self._pending:
            await self._answer(cpu, group.number, group.record, code)
            await self._unlink(cpu, group)
        await cpu.unlock(self._lock)

    async def _unlink(self, cpu: Cpu, group: StallGroup) -> None:
        await cpu.access("faults: unlink group", reads=(pasid_resource(group.record.ssid),), writes=(FAULTS,))
        self._pending.remove(group)
        cpu.emit(FaultSettled(number=group.number, pasid=group.record.ssid))

    async def _free_group(self, cpu: Cpu, group: StallGroup) -> None:
        """iopf_free_group: the memory, then the reference to the fault_param."""
        await group.free(cpu)
        await group.param.put(cpu)

    async def _answer(self, cpu: Cpu, number: int, record: EventRecord, code: ResumeResp) -> None:
        """arm_smmu_page_response: a RESUME without SYNC, as none would help."""

        def published(command: int) -> None:
            cpu.emit(Resumed(target=LANE, number=number, stag=record.stag, decision=code.name, command=command))

        sid = StreamId(record.sid)
        await self._cmdq.issue(cpu, commands.resume(sid, record.stag, code), published=published)

    async def flush(self, cpu: Cpu) -> None:
        """iopf_queue_flush_dev: the works that are queued now."""
        await self._workqueue.flush(cpu)

    async def add_device(self, cpu: Cpu) -> None:
        """iopf_queue_add_device, for the first fault user of the device."""
        await self._take_outer(cpu)
        await cpu.access("fault_param = new", writes=(PARAM,))
        if self._param is None:
            self._params += 1
            self._param = Counted(f"fault_param #{self._params}", resource=REFERENCES)
        await self._give_outer(cpu)

    async def remove_device(self, cpu: Cpu) -> None:
        """iopf_queue_remove_device: answer what is pending Invalid, free it, and take the fault_param away."""
        await self._take_outer(cpu)
        await cpu.lock(self._lock)
        for group in list(self._pending):
            await self._answer(cpu, group.number, group.record, ResumeResp.ABORT)
            await self._unlink(cpu, group)
            await self.free_pending(cpu, group)
        await cpu.unlock(self._lock)
        await cpu.access("fault_param = NULL", writes=(PARAM,))
        param, self._param = self._param, None
        if param is not None:
            await param.put(cpu)
        await self._give_outer(cpu)

    async def _take_outer(self, cpu: Cpu) -> None:
        for lock in self._outer:
            await cpu.lock(lock)

    async def _give_outer(self, cpu: Cpu) -> None:
        for lock in reversed(self._outer):
            await cpu.unlock(lock)

    async def free_pending(self, cpu: Cpu, group: StallGroup) -> None:
        """The group is freed, since 9759ae2cee7c."""
        await self._free_group(cpu, group)


class LateLookUp(IopfCore):
    """Up to 5.19: the worker finds the mm by PASID (iommu_sva_find), whoever owns it then."""

    early_find = False

    async def find(self, cpu: Cpu, pasid: Pasid) -> Bond | None:
        """The handle is not looked up yet."""
        return None

    async def mm_of(self, cpu: Cpu, group: StallGroup) -> Bond | None:
        """The owner of the PASID now."""
        bond = await self._pasids.look_up(cpu, group.record.ssid)
        resolved(cpu, group.number, group.record.ssid, bond)
        return bond


class AnswersTwice(IopfCore):
    """BUG: a second RESUME for a STAG that is free again decides about its next stall (compare SMMU-R08)."""

    async def _answer(self, cpu: Cpu, number: int, record: EventRecord, code: ResumeResp) -> None:
        """The same answer is written twice."""
        await super()._answer(cpu, number, record, code)
        await super()._answer(cpu, number, record, code)


class KeepsPending(IopfCore):
    """Up to 9759ae2cee7c: a removed device's pending groups are answered, unlinked, and not freed (SMMU-R44)."""

    async def free_pending(self, cpu: Cpu, group: StallGroup) -> None:
        """The group is not freed."""


ANSWERS: dict[str, type[IopfCore]] = {"once": IopfCore, "twice": AnswersTwice}
