"""The command queue unit: whatever lies in the queue is carried out or stops it, and software brings it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.command_units import CommandQueueError, CommandUnits
from actors.runtime.events import Outcome
from actors.runtime.execution import Execution
from actors.runtime.world import Cpu, Session, World
from drivers.arm_smmu_v3 import Cmdq
from drivers.gerror import ErrorHandler
from hw.bus import Asid, PhysAddr, StreamId, VirtAddr, Vmid
from hw.command_events import CommandQueueStopped, MsiAborted
from hw.memory import FRAME_BYTES, KERNEL, MMIO
from hw.smmuv3 import commands
from hw.smmuv3.commands import Cerror, Command, CommandError, Opcode, SyncSignal
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import CMDQ_CONS_ERR, CMDQ_ERR, MSI_CMDQ_ABT_ERR, Registers, active_errors
from hw.smmuv3.state import Smmu
from scenarios.board import links
from tests.explore.searching import search
from tests.running import run
from tools.explore.dpor import Dpor
from tools.explore.search import Report

TLBI = commands.tlbi_nh_asid(Vmid(0), Asid(1))
ILLEGAL = Command(opcode=Opcode.TLBI_EL2_ALL)
LOG2SIZE = 2


class Board:
    """An SMMU of which nothing but the command queue is used, and the words that tell how it fares."""

    def __init__(self, world: World, kind: type[CommandUnits] = CommandUnits, base: PhysAddr | None = None) -> None:
        self.registers = registers = Registers(world.frames.allocate(MMIO))
        self.ring = Ring(base or world.frames.allocate(KERNEL), LOG2SIZE, commands.ENTRY_WORDS)
        self.memory = world.memory
        self.irq = world.interrupt("GERROR")
        upstream, downstream = links(world)
        kind(
            world=world,
            upstream=upstream,
            downstream=downstream,
            binding_now=lambda pasid: 0,
            meant_for="nobody",
            smmu=Smmu(registers=registers, stream_table=world.frames.allocate(KERNEL), streams=2),
            cmdq=self.ring,
            gerror_irq=self.irq,
        ).add(world)

    def add_handler(self, world: World) -> None:
        """Software that sees to errors."""
        world.add_actor("gerror", ErrorHandler(self.registers, self.ring, self.irq).thread, daemon=True)

    @property
    def errors(self) -> int:
        """The active bits of GERROR."""
        return active_errors(self.memory.read(self.registers.GERROR), self.memory.read(self.registers.GERRORN))

    @property
    def cons(self) -> tuple[int, Cerror]:
        """CMDQ_CONS: where, and why it stopped there."""
        cons = self.memory.read(self.registers.CMDQ_CONS)
        return cons & 7, Cerror(CMDQ_CONS_ERR.get(cons))


def publish(board: Board, words: Sequence[tuple[int, int]]) -> None:
    """Put commands into the queue before the world begins."""
    pointer = 0
    for q0, q1 in words:
        slot = board.ring.slot(pointer)
        board.memory.write(slot, q0)
        board.memory.write(PhysAddr(slot + 8), q1)
        pointer = board.ring.next(pointer)
    board.memory.write(board.registers.CMDQ_PROD, pointer)


def consume(*words: tuple[int, int]) -> tuple[Execution, Board]:
    """What becomes of some commands, in the plain order."""
    boards = []

    def build(world: World) -> None:
        boards.append(Board(world))
        publish(boards[-1], words)

    return run(build, audit=True), boards[0]


def events(execution: Execution, kind: type) -> list[object]:
    return [event for _, _, event in execution.world.events if isinstance(event, kind)]


words = st.integers(0, 2**64 - 1)
command_words = st.one_of(
    st.tuples(words, words),
    st.builds(
        lambda opcode, rest, q1: (rest << 8 | opcode, q1), st.sampled_from(Opcode), st.integers(0, 2**56 - 1), words
    ),
)


@settings(deadline=None)
@given(command_words)
def test_a_command_is_carried_out_or_illegal_and_never_an_error_of_the_model(pair: tuple[int, int]) -> None:
    execution, board = consume(pair)
    assert execution.outcome is Outcome.QUIET, execution.finding
    try:
        command = commands.decode(*pair)
    except CommandError:
        assert board.cons == (0, Cerror.ILL)
        assert board.errors == CMDQ_ERR.mask
        return
    if command.opcode is Opcode.CMD_SYNC and command.address:
        return  # its message may have hit a register
    assert (board.cons, board.errors) == ((1, Cerror.NONE), 0)


@pytest.mark.parametrize(
    "pair",
    [(0x00, 0), (0x02, 0), (0x07, 0), (0xFF, 0), (0x41, 0x3000), (0x3046, 0), (0x40, 53), (0x20, 0)],
)
def test_illegal_encodings_stop_the_queue(pair: tuple[int, int]) -> None:
    execution, board = consume(pair, commands.encode(TLBI))
    assert (board.cons, board.errors) == ((0, Cerror.ILL), CMDQ_ERR.mask)
    assert events(execution, CommandQueueStopped) == [CommandQueueStopped(number=0, error="ILL")]


@pytest.mark.parametrize(
    "command",
    [
        Command(opcode=Opcode.CFGI_STE_RANGE, range=31),
        Command(opcode=Opcode.CFGI_STE_RANGE, sid=StreamId(0xFFFF_FFFF), range=30),
        Command(opcode=Opcode.TLBI_NH_ALL),
        Command(opcode=Opcode.TLBI_NSNH_ALL),
    ],
)
def test_wide_invalidations_are_commands_like_others(command: Command) -> None:
    _, board = consume(commands.encode(command))
    assert (board.cons, board.errors) == ((1, Cerror.NONE), 0)


def sync_to(address: int) -> tuple[int, int]:
    return commands.encode(Command(opcode=Opcode.CMD_SYNC, cs=SyncSignal.IRQ, data=0xABCD, address=VirtAddr(address)))


def test_the_message_of_a_sync_is_32_bits() -> None:
    _, board = consume(sync_to(0xF008), sync_to(0xF014))
    assert (board.memory.read(PhysAddr(0xF008)), board.memory.read(PhysAddr(0xF010))) == (0xABCD, 0xABCD << 32)


def test_a_message_that_no_memory_takes_is_an_error_of_its_own() -> None:
    execution, board = consume(sync_to(0x1234_5000), commands.encode(TLBI))
    assert (board.cons, board.errors) == ((2, Cerror.NONE), MSI_CMDQ_ABT_ERR.mask)
    assert events(execution, MsiAborted) == [MsiAborted(number=0)]


def test_a_queue_where_no_memory_is_stops_at_the_fetch() -> None:
    boards = []

    def build(world: World) -> None:
        boards.append(Board(world, base=PhysAddr(1000 * FRAME_BYTES)))
        world.memory.write(boards[0].registers.CMDQ_PROD, 1)

    assert run(build, audit=True).outcome is Outcome.QUIET
    assert (boards[0].cons, boards[0].errors) == ((0, Cerror.ABT), CMDQ_ERR.mask)


class FetchAborts(CommandUnits):
    """Memory does not answer the first fetch."""

    async def fetch(self, cpu: Cpu, cons: int, number: int) -> Command:
        if not self.aborted:
            self.aborted = True
            raise CommandQueueError(Cerror.ABT)
        return await CommandUnits.fetch(self, cpu, cons, number)

    aborted = False


def caller(board: Board, world: World, batch: Sequence[Command]) -> None:
    """Software that issues a batch and waits for it."""
    cmdq = Cmdq(board.registers, board.ring, world.spinlock("cmdq lock"))

    async def main(cpu: Cpu) -> None:
        await cmdq.issue_sync(cpu, *batch)

    world.add_actor("cpu0", main)


def exhaust(build: Callable[[World], None]) -> Report:
    """Every inequivalent schedule of a world."""
    session = Session()

    def make() -> World:
        world = World(session)
        build(world)
        return world

    return search(make, Dpor())


@pytest.mark.parametrize(
    ("kind", "batch", "error", "schedules"),
    [
        (CommandUnits, [TLBI, ILLEGAL, TLBI], "ILL", 1),
        (FetchAborts, [TLBI], "ABT", 1),
    ],
)
def test_software_brings_the_queue_back(
    kind: type[CommandUnits], batch: Sequence[Command], error: str, schedules: int
) -> None:
    def build(world: World) -> None:
        board = Board(world, kind)
        board.add_handler(world)
        caller(board, world, batch)

    report = exhaust(build)
    assert (report.complete, report.schedules, report.failing) == (True, schedules, 0)
    stopped = events(run(build), CommandQueueStopped)
    assert [event.error for event in stopped if isinstance(event, CommandQueueStopped)] == [error]


def test_without_software_a_stopped_queue_keeps_everybody_waiting() -> None:
    def build(world: World) -> None:
        caller(Board(world), world, [ILLEGAL])

    report = exhaust(build)
    assert (report.schedules, report.failing) == (1, 1)
    assert set(report.found) == {("no-deadlock", "cpu0")}
