"""Kernel objects from kmalloc to kfree: who touches a freed one is found out (smmuv3 §8.4, I6).

The events tell oracles what was allocated, touched and freed; nothing stops software from going on with a dead object.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.cpu import Cpu
from hw.bus import Resource
from hw.events.event import Event

MEMORY: Resource = ("free memory",)
"""What kmalloc waits for; nobody takes so much that it would matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAllocated(Event):
    """An object came to life; nobody else can know it yet."""

    name: str

    def _label(self) -> str:
        return f"alloc {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTouched(Event):
    """Somebody used an object, which `resource` protects, for `what`."""

    name: str
    what: str
    resource: Resource

    def _label(self) -> str:
        return f"{self.what} ({self.name})"

    def _touches(self) -> tuple[Resource, ...]:
        return (self.resource,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFreed(Event):
    """Step `step` of actor `by` freed an object."""

    name: str
    by: str
    step: int
    resource: Resource

    def _label(self) -> str:
        return f"free {self.name}"

    def _touches(self) -> tuple[Resource, ...]:
        return (self.resource,)


class Object:
    """One object. Its resource is what every step that uses it declares: its own name, or the list or lock it is on."""

    def __init__(self, name: str, resource: Resource = None) -> None:
        self.name = name
        self.resource: Resource = ("object", name) if resource is None else resource

    def born(self, cpu: Cpu) -> None:
        """The object is allocated within the current step."""
        cpu.emit(ObjectAllocated(name=self.name))

    def touched(self, cpu: Cpu, what: str) -> None:
        """The object is used within the current step, which has declared the resource."""
        cpu.emit(ObjectTouched(name=self.name, what=what, resource=self.resource))

    def freed(self, cpu: Cpu) -> None:
        """The object is freed within the current step, which has declared a write of the resource."""
        cpu.emit(ObjectFreed(name=self.name, by=cpu.name, step=cpu.now, resource=self.resource))

    async def touch(self, cpu: Cpu, what: str) -> None:
        """Use the object in one step."""
        await cpu.access(what, reads=(self.resource,))
        self.touched(cpu, what)

    async def free(self, cpu: Cpu) -> None:
        """kfree(): the object is gone, in one step."""
        await cpu.access(f"kfree {self.name}", writes=(self.resource,))
        self.freed(cpu)


async def allocate(cpu: Cpu, name: str) -> Object:
    """kmalloc(GFP_KERNEL): one step, which may sleep and so is not allowed under a spin lock."""
    await cpu.wait(f"kmalloc {name} (GFP_KERNEL)", lambda: True, reads=(MEMORY,))
    made = Object(name)
    made.born(cpu)
    return made


class Counted(Object):
    """An object with a reference count, freed by whoever drops the last one."""

    def __init__(self, name: str, references: int = 1, resource: Resource = None) -> None:
        super().__init__(name, resource)
        self.references = references

    async def get(self, cpu: Cpu) -> None:
        """kref_get(): one more reference, in one step."""
        await cpu.access(f"get {self.name}", writes=(self.resource,))
        self.touched(cpu, f"get {self.name}")
        self.references += 1

    async def put(self, cpu: Cpu) -> bool:
        """kref_put(): one reference less, in one step; True for who dropped the last one and so freed the object."""
        await cpu.access(f"put {self.name}", writes=(self.resource,))
        self.touched(cpu, f"put {self.name}")
        self.references -= 1
        if self.references == 0:
            self.freed(cpu)
        return self.references == 0
