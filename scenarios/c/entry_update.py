"""One STE or CD is changed by C while its stream is live and the SMMU fetches it word by word."""

from __future__ import annotations

from actors.c.module import c_module
from actors.runtime.world import Cpu, Main, World
from drivers.smmuv3.entry_writer import CD
from hw.memory import WORD_BYTES
from scenarios.entries.entry_transitions import TRANSITIONS
from scenarios.entries.entry_update import Changing, EntryUpdate, fill
from scenarios.entries.entry_update_verdicts import MIX
from scenarios.parameters import one_of
from scenarios.scenario import Expected, scenario

_writer = c_module("entry_writer.c")
EXPECTED = (
    *(
        Expected(
            params={"change": name, "writer": "hitless"},
            verdict="holds",
            why="as the writer in Python: one word decides, and what is stored before it is not used yet",
        )
        for name in TRANSITIONS
    ),
    *(
        Expected(
            params={"change": name, "writer": "in-order"},
            verdict="violated",
            oracle=MIX,
            why="the word with V and Config comes first, beside the rest of the old entry",
        )
        for name in ("abort-cdtable", "cdtable-bypass", "empty-sva", "sva-other", "cdtable-stage2")
    ),
)


@scenario(
    source="smmuv3 §1.3, §3.2: the entry writer of Linux 6.9, in C",
    expected=EXPECTED,
    change=EntryUpdate.change,
    writer=one_of("hitless", "in-order", default="in-order", meaning="how the C makes the change"),
    accesses=EntryUpdate.accesses,
)
def c_entry_update(world: World, *, change: str, writer: str, accesses: int) -> None:
    """C changes a live STE or CD while the SMMU fetches it word by word."""
    code = _writer.load(world)
    code.attach()

    def update(entry: Changing) -> Main:
        async def iommu_sync(cpu: Cpu) -> None:
            await entry.sync(cpu)

        for place, word in enumerate(entry.new):
            code.call("set_target", place, word)
        code.export("iommu_sync", iommu_sync)
        place = code.pointer(entry.address, entry.name, len(entry.new) * WORD_BYTES)
        return code.thread(f"write_{writer.replace('-', '_')}", place, entry.kind is CD)

    fill(world, change, accesses, 0, update)
