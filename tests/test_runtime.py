"""The primitives of the runtime: what blocks, what wakes, what is refused, and how a run ends."""

from __future__ import annotations

import pytest
import trio

from actors.runtime.primitives.events import Note, Outcome, Violation
from actors.runtime.runs.schedule import Recipe, TokenError
from actors.runtime.runs.scheduler import Fifo, RandomWalk, Replay, ScheduleMismatch
from actors.runtime.world import Cpu, World
from hw.pcie.tlp import PrgResponse, ResponseCode, Tlp, TranslationCompletion, TranslationRequest

from .models import Request
from .running import run, runs, transcript


def order(world: World) -> list[str]:
    """The steps of a finished run would do, but events read better: subjects in order."""
    return [event.subject for _, _, event in world.events if isinstance(event, Note)]


def lost_update(world: World) -> None:
    word = world.word()

    async def increment(cpu: Cpu) -> None:
        value = await cpu.load(word)
        await cpu.store(word, value + 1)

    world.add_actor("one", increment)
    world.add_actor("two", increment)
    world.eventually("both count", lambda: None if world.memory.read(word) == 2 else "an update was lost")


def test_a_read_modify_write_in_two_steps_loses_an_update_in_one_order_of_two() -> None:
    outcomes = [execution.outcome for execution in runs(lost_update, 100, RandomWalk(7))]
    assert outcomes.count(Outcome.VIOLATED) == 45
    assert outcomes.count(Outcome.QUIET) == 55


def test_the_plain_order_runs_an_actor_until_it_cannot() -> None:
    assert [name for name, *_ in transcript(run(lost_update))] == ["one", "one", "two", "two"]


def test_a_schedule_holds_only_contested_choices_and_replays_them() -> None:
    found = next(e for e in runs(lost_update, 20, RandomWalk(7)) if e.outcome is Outcome.VIOLATED)
    assert found.schedule == (1, 0, 1)
    again = run(lost_update, Replay(found.schedule))
    assert transcript(again) == transcript(found)
    assert again.finding == found.finding


def test_replay_says_what_was_offered_when_a_choice_is_not() -> None:
    with pytest.raises(ScheduleMismatch, match=r"replay step 0: choice 1 of 1 takes actor 5, offered now 0 \(one\), 1"):
        run(lost_update, Replay((5,)))
    with pytest.raises(ScheduleMismatch, match="the recording ends after 1 choices"):
        run(lost_update, Replay((0,)))
    with pytest.raises(ScheduleMismatch, match=r"ended after \d choices, the recording has 9"):
        run(lost_update, Replay((0, 0, 0, 0, 0, 0, 0, 0, 0)))


def deadlock(world: World) -> None:
    left, right = world.mutex("left"), world.mutex("right")

    async def one(cpu: Cpu) -> None:
        await cpu.lock(left)
        await cpu.lock(right)

    async def two(cpu: Cpu) -> None:
        await cpu.lock(right)
        await cpu.lock(left)

    world.add_actor("one", one)
    world.add_actor("two", two)


def test_a_deadlock_says_who_waits_for_what_held_by_whom_since_when() -> None:
    execution = run(deadlock, Replay((0, 1)))
    assert execution.finding is not None
    assert execution.outcome is Outcome.DEADLOCK
    assert execution.finding.message == (
        "one waits since step 1 for lock right, held by two since step 1; "
        "two waits since step 2 for lock left, held by one since step 0"
    )
    assert execution.finding.signature == ("no-deadlock", "one", "two")


def test_a_lock_taken_twice_is_a_deadlock_with_itself() -> None:
    def build(world: World) -> None:
        lock = world.mutex("L")

        async def main(cpu: Cpu) -> None:
            await cpu.lock(lock)
            await cpu.lock(lock)

        world.add_actor("main", main)

    finding = run(build).finding
    assert finding is not None
    assert finding.message == "main waits since step 1 for lock L, held by main since step 0"


@pytest.mark.parametrize("blocking", ["mutex", "receive", "wait", "irq"])
def test_sleeping_under_a_spin_lock_is_a_violation(blocking: str) -> None:
    def build(world: World) -> None:
        spin, mutex = world.spinlock("spin"), world.mutex("mutex")
        port, irq = world.port("port", Request), world.interrupt("PRIQ")

        async def main(cpu: Cpu) -> None:
            await cpu.lock(spin)
            if blocking == "mutex":
                await cpu.lock(mutex)
            elif blocking == "receive":
                await cpu.receive(port)
            elif blocking == "irq":
                await irq.take(cpu)
            else:
                await cpu.wait("nothing", lambda: True)

        world.add_actor("main", main)

    finding = run(build).finding
    assert finding is not None
    assert finding.outcome is Outcome.VIOLATED
    assert "while it holds spin lock spin" in finding.message
    assert finding.signature == ("BrokenRule", "main")


def test_a_busy_wait_is_allowed_under_a_spin_lock() -> None:
    def build(world: World) -> None:
        spin, word = world.spinlock("spin"), world.word("flag")

        async def main(cpu: Cpu) -> None:
            await cpu.lock(spin)
            await cpu.poll(word, lambda value: value == 1, "flag", sleeps=False)
            await cpu.unlock(spin)

        async def setter(cpu: Cpu) -> None:
            await cpu.store(word, 1)

        world.add_actor("main", main)
        world.add_actor("setter", setter)

    assert run(build).outcome is Outcome.QUIET


def test_only_the_holder_unlocks() -> None:
    def build(world: World) -> None:
        lock = world.mutex("L")

        async def main(cpu: Cpu) -> None:
            await cpu.unlock(lock)

        world.add_actor("main", main)

    finding = run(build).finding
    assert finding is not None
    assert finding.message == f"main raised BrokenRule: main unlocks L: it is held by nobody ({finding.where})"


def test_readers_share_and_a_writer_is_alone() -> None:
    most_readers = []

    def build(world: World) -> None:
        lock = world.rwlock("L")

        async def reader(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            most_readers.append(len(lock.readers))
            assert lock.writer is None
            await lock.release_read(cpu)

        async def writer(cpu: Cpu) -> None:
            await lock.acquire_write(cpu)
            assert not lock.readers
            await lock.release_write(cpu)

        for name, main in (("r1", reader), ("r2", reader), ("w", writer)):
            world.add_actor(name, main)

    assert {execution.outcome for execution in runs(build, 100, RandomWalk(3))} == {Outcome.QUIET}
    assert max(most_readers) == 2


def test_an_interrupt_is_an_edge_two_raises_before_the_handler_are_one() -> None:
    def build(world: World) -> None:
        irq = world.interrupt("PRIQ")

        async def handler(cpu: Cpu) -> None:
            while True:
                await irq.take(cpu)
                await cpu.note("handled")

        async def raiser(cpu: Cpu) -> None:
            for _ in range(2):
                await cpu.access("raise", writes=(irq.resource,))
                irq.raise_now()

        world.add_actor("raiser", raiser)
        world.add_actor("handler", handler, daemon=True)

    assert len(order(run(build).world)) == 1
    counts = {len(order(execution.world)) for execution in runs(build, 50, RandomWalk(1))}
    assert counts == {1, 2}


def test_flush_waits_for_works_queued_before_the_call_and_for_no_later_one() -> None:
    def build(world: World) -> None:
        queue = world.workqueue("wq", Request)

        async def queuer(cpu: Cpu) -> None:
            await queue.queue(Request(number=0, issued_under=0))
            await queue.flush(cpu)
            await cpu.note("flushed")

        async def late(cpu: Cpu) -> None:
            await queue.queue(Request(number=1, issued_under=0))

        async def worker(cpu: Cpu) -> None:
            while True:
                number, work = await queue.take(cpu)
                await cpu.note(f"work {work.number}")
                await queue.finish(number)

        world.add_actor("queuer", queuer)
        world.add_actor("late", late)
        world.add_actor("worker", worker, daemon=True)

    orders = {tuple(order(execution.world)) for execution in runs(build, 300, RandomWalk(2))}
    assert ("work 0", "flushed", "work 1") in orders
    assert all(each.index("work 0") < each.index("flushed") for each in orders)


ORDERED: dict[str, Tlp] = {
    "completion": TranslationCompletion(sid=0, tag=1, status=0, page=0, read=False, write=False),  # type: ignore[arg-type]
    "non-posted": TranslationRequest(sid=0, pasid=1, address=0, write=False, tag=1),  # type: ignore[arg-type]
}


def link_world(world: World, kind: str) -> None:
    """Somebody sends a message of that kind before a posted one, and another one behind it."""
    message = ORDERED[kind]
    link = world.link("down", posted=(PrgResponse,), **{kind.replace("-", "_"): (type(message),)})
    posted = PrgResponse(sid=0, pasid=1, prgi=0, code=ResponseCode.SUCCESS)  # type: ignore[arg-type]

    async def host(cpu: Cpu) -> None:
        await link.send_ordered(kind, message)
        await link.send_posted(posted, "send PRG Response")
        await link.send_ordered(kind, message)
        await link.flush(cpu)
        await cpu.note("flushed")

    async def receiver(cpu: Cpu) -> None:
        await link.receive_posted(cpu)
        await link.deliver("deliver")
        await cpu.note("posted")

    async def engine(cpu: Cpu) -> None:
        for number in range(2):
            await link.receive_ordered(cpu, kind)
            await cpu.note(f"{kind} {number}")

    for name, main in (("host", host), ("receiver", receiver), ("engine", engine)):
        world.add_actor(name, main)


@pytest.mark.parametrize("channel", ["posted", "non-posted"])
def test_a_message_of_pcie_travels_in_its_own_channel(channel: str) -> None:
    completion = ORDERED["completion"]

    def build(world: World) -> None:
        link = world.link("up", posted=(TranslationCompletion,), non_posted=(TranslationCompletion,))

        async def host(cpu: Cpu) -> None:
            if channel == "posted":
                await link.send_posted(completion, "send")
            else:
                await link.send_ordered(channel, completion)

        world.add_actor("host", host)

    finding = run(build).finding
    assert finding is not None
    assert finding.message.startswith(
        f"host raised MisuseError: send TranslationCompletion on up as {channel}: on PCIe it is completion ("
    )


@pytest.mark.parametrize("kind", ORDERED)
def test_a_posted_request_passes_all_others_and_nothing_passes_a_posted_request(kind: str) -> None:
    delivered = set()
    for execution in runs(lambda world: link_world(world, kind), 300, RandomWalk(5)):
        steps = [what for _, what, _, _ in transcript(execution)]
        deliver = steps.index("deliver")
        taken = [place for place, what in enumerate(steps) if what == f"receive from down {kind}"]
        assert deliver < taken[1], "the second message was sent behind the posted request"
        assert deliver < steps.index("posted requests on down have arrived")
        delivered.add(deliver < taken[0])
    assert delivered == {True, False}, "the first message may be overtaken, and need not be"


def test_an_exception_in_an_actor_is_a_finding_that_replays() -> None:
    def build(world: World) -> None:
        word = world.word("denominator", 1)

        async def divide(cpu: Cpu) -> None:
            await cpu.note("quotient", 1 // await cpu.load(word))

        async def clear(cpu: Cpu) -> None:
            await cpu.store(word, 0)

        world.add_actor("divide", divide)
        world.add_actor("clear", clear)

    found = run(build, Replay((1,)))
    assert found.finding is not None
    assert found.outcome is Outcome.ERROR
    assert found.finding.message == (
        f"divide raised ZeroDivisionError: integer division or modulo by zero ({found.finding.where})"
    )
    assert found.finding.where.startswith("test_runtime.py, line ")
    assert run(build, Replay(found.schedule)).finding == found.finding
    assert run(build).outcome is Outcome.QUIET


def test_a_step_bound_is_a_verdict_of_its_own() -> None:
    def build(world: World) -> None:
        world.step_bound = 10
        word = world.word("x")

        async def spin(cpu: Cpu) -> None:
            for _ in range(2_000):
                await cpu.load(word, "x")

        world.add_actor("spin", spin)

    execution = run(build)
    assert execution.finding is not None
    assert execution.outcome is Outcome.BOUND
    assert execution.finding.message == (
        "still busy after 10 steps: raise the scenario's bound, or look for a livelock among spin"
    )


@pytest.mark.parametrize("primitive", ["sleep", "checkpoint"])
def test_a_trio_primitive_inside_a_world_is_refused(primitive: str) -> None:
    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            await cpu.note("before")
            await (trio.sleep(1) if primitive == "sleep" else trio.lowlevel.checkpoint())

        world.add_actor("main", main)

    finding = run(build).finding
    assert finding is not None
    assert finding.outcome is Outcome.ERROR
    assert "no primitive of Trio or asyncio" in finding.message


def test_daemons_that_wait_for_work_are_idle_but_not_those_that_wait_for_a_lock() -> None:
    def build(world: World) -> None:
        lock, port = world.mutex("L"), world.port("p", Request)

        async def keeper(cpu: Cpu) -> None:
            await cpu.lock(lock)

        async def idle(cpu: Cpu) -> None:
            await cpu.receive(port)

        async def stuck(cpu: Cpu) -> None:
            await cpu.lock(lock)

        world.add_actor("keeper", keeper)
        world.add_actor("idle", idle, daemon=True)
        world.add_actor("stuck", stuck, daemon=True)

    finding = run(build).finding
    assert finding is not None
    assert finding.objects == ("stuck",)


def test_a_port_refuses_what_it_does_not_carry() -> None:
    def build(world: World) -> None:
        port = world.port("p", Request)

        async def main(cpu: Cpu) -> None:
            await cpu.send(port, Note(subject="x"))

        world.add_actor("main", main)

    finding = run(build).finding
    assert finding is not None
    assert finding.message == f"main raised TypeError: send Note: this port carries Request ({finding.where})"


def test_an_oracle_that_complains_ends_the_run_at_that_step() -> None:
    def build(world: World) -> None:
        def check(note: Note) -> str | None:
            return "seen" if note.value == 2 else None

        world.always("never two", check)

        async def main(cpu: Cpu) -> None:
            for value in range(5):
                await cpu.note("n", value)

        world.add_actor("main", main)

    execution = run(build)
    assert execution.finding is not None
    assert (execution.finding.oracle, execution.finding.step, execution.index) == ("never two", 2, 3)


@pytest.mark.parametrize(("begins_late", "step"), [(False, 0), (True, 1)])
def test_what_an_actor_breaks_before_its_first_step_is_found_at_the_next_step_of_anybody(
    begins_late: bool, step: int
) -> None:
    def build(world: World) -> None:
        world.always("quiet", lambda note: "noise")

        async def noisy(cpu: Cpu) -> None:
            cpu.emit(Note(subject="a"))
            await cpu.access("noisy")

        @world.actor
        async def calm(cpu: Cpu) -> None:
            await cpu.access("calm")
            if begins_late:
                world.add_actor("noisy", noisy)
            await cpu.access("calm again")
            await cpu.access("calm for ever")

        if not begins_late:
            world.add_actor("noisy", noisy)

    for audit in (False, True):  # the hot loop, and the one that an audit needs
        finding = run(build, audit=audit).finding
        assert finding is not None
        assert (finding.oracle, finding.step) == ("quiet", step)


def test_choices_of_hardware_are_on_the_same_tape() -> None:
    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            await cpu.note("outcome", await cpu.choose("early retry", 3))

        world.add_actor("main", main)

    values = {}
    for outcome in range(3):
        execution = run(build, Replay((outcome,)))
        assert execution.schedule == (outcome,)
        values[outcome] = execution.world.events[0][2]
    assert [getattr(note, "value", None) for note in values.values()] == [0, 1, 2]


def test_tokens_carry_the_whole_recipe_and_notice_damage() -> None:
    recipe = Recipe(scenario="unbind-window", params=(("drain", "none"), ("requests", 2)), schedule=(0, 5, 255))
    token = recipe.token()
    assert Recipe.parse(token) == recipe
    assert Recipe.parse(f"  {token.lower().replace('sm1:', 'sm1:')}\n") == recipe
    for place in range(4, len(token)):
        damaged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(TokenError, match=r"^read token: (checksum differs|not base32)"):
            Recipe.parse(damaged)
        with pytest.raises(TokenError, match=r"^read token: (checksum differs|not base32)"):
            Recipe.parse(token[:place])


def test_a_violation_names_its_objects() -> None:
    assert Violation("text", "P1", 3).objects == ("P1", "3")


def test_fifo_takes_the_plain_outcome() -> None:
    assert Fifo().choose(range(3), True) == 0
