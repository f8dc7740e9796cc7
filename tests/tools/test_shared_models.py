"""Models whose steps share what no step declares, each of which was once proved free of a violation, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_cli import call
from .test_sharing import HEAD

MODELS = {
    "tested in one step, used in the next": (
        """
    dev = Thing("old")

    @world.actor
    async def rebind(cpu):
        await cpu.access("device_lock")
        await cpu.access("driver = NULL")
        dev.value = None
        await cpu.access("driver = new")
        dev.value = "new"

    @world.actor
    async def sysfs(cpu):
        await cpu.access("if (driver)")
        there = dev.value is not None
        await cpu.access("driver->name")
        if there and dev.value is None:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 6 inequivalent schedules, 31 steps",
    ),
    "a poll whose condition looks at more than its word": (
        """
    head, q = world.word("head", 3), {"limit": 3}

    @world.actor
    async def producer(cpu):
        await cpu.store(head, 2)
        q["limit"] = 5
        await cpu.store(head, 5)

    @world.actor
    async def waiter(cpu):
        if await cpu.poll(head, lambda value: value >= q["limit"], "full") == 3:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 2 inequivalent schedules, 7 steps",
    ),
    "what a property remembers of notes of two subjects": (
        """
    inside = [0]

    async def user(cpu):
        await cpu.note(f"{cpu.name} in")
        await cpu.note(f"{cpu.name} out")

    def few(note):
        inside[0] += 1 if note.subject.endswith("in") else -1
        return "all in" if inside[0] > 3 else None

    world.always("few", few)
    for number in range(4):
        world.add_actor(f"u{number}", user)
""",
        "VIOLATED: 576 of all 2,520 inequivalent schedules, 20,160 steps",
    ),
    "the order in a deque": (
        """
    few = deque(maxlen=2)

    async def push(cpu):
        await cpu.access(cpu.name)
        few.append(cpu.name)

    for number in range(3):
        world.add_actor(f"u{number}", push)

    @world.actor
    async def reader(cpu):
        await cpu.access("look")
        if list(few) == ["u2", "u1"]:
            await cpu.note("bad")
""",
        "VIOLATED: 2 of all 24 inequivalent schedules, 98 steps",
    ),
    "a class, through its instance": (
        """
    class Device:
        suspended = False

    nic = Device()

    @world.actor
    async def power(cpu):
        for _ in range(2):
            await cpu.access("suspend")
            Device.suspended = True
            await cpu.access("resume")
            Device.suspended = False

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(3):
            await cpu.access(f"tick {tick}")
            found.append(nic.suspended)
        if found == [True, False, True]:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 35 inequivalent schedules",
    ),
    "an iterator behind another one": (
        """
    jobs, got = iter(range(8)), {"a": [], "b": []}

    async def work(cpu):
        for job in islice(jobs, 3):
            await cpu.access("work")
            got[cpu.name].append(job)

    world.add_actor("a", work)
    world.add_actor("b", work)
    world.eventually("fair", lambda: "unfair" if got["a"] == [0, 2, 5] else None)
""",
        "VIOLATED: 3 of all 20 inequivalent schedules",
    ),
    "a manager at the end of its block": (
        """
    from contextlib import ExitStack

    order = []

    @world.actor
    async def first(cpu):
        with ExitStack() as stack:
            stack.callback(order.append, 1)
            await cpu.access("first")

    @world.actor
    async def second(cpu):
        await cpu.access("second")
        if order:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 2 inequivalent schedules",
    ),
    "a partial of a library's function": (
        """
    wheel = [9]
    add_timer = partial(heappush, wheel)

    @world.actor
    async def first(cpu):
        await cpu.access("first")
        add_timer(1)

    @world.actor
    async def second(cpu):
        await cpu.access("second")
        if wheel[0] == 1:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 2 inequivalent schedules",
    ),
    "a set that is changed in place": (
        """
    nic = Thing(set())

    @world.actor
    async def power(cpu):
        for _ in range(2):
            await cpu.access("suspend")
            nic.value |= {"suspended"}
            await cpu.access("resume")
            nic.value -= {"suspended"}

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(3):
            await cpu.access(f"tick {tick}")
            found.append("suspended" in nic.value)
        if found == [True, False, True]:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 35 inequivalent schedules",
    ),
    "a variable that both set": (
        """
    count = 0

    async def add(cpu):
        nonlocal count
        before = count
        await cpu.access("add")
        count = before + 1

    world.add_actor("a", add)
    world.add_actor("b", add)
    world.eventually("both", lambda: None if count == 1 else "both")
""",
        "HOLDS: all 2 inequivalent schedules, 4 steps",
    ),
    "an attribute of a method": (
        """
    class Device:
        def tick(self):
            pass

        tick.count = 0

    nic = Device()

    @world.actor
    async def power(cpu):
        for number in range(1, 4):
            await cpu.access("set")
            Device.tick.count = number

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(2):
            await cpu.access("look")
            found.append(nic.tick.count)
        if found == [1, 3]:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 10 inequivalent schedules",
    ),
    "what is equal and not the same": (
        """
    box = [0.0, range(0, 0)]

    @world.actor
    async def turn(cpu):
        for number in range(1, 4):
            await cpu.access("set")
            box[0], box[1] = -box[0], range(number, number)

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(2):
            await cpu.access("look")
            found.append(f"{box[0]} {box[1].start}")
        if found == ["-0.0 1", "-0.0 3"]:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 10 inequivalent schedules",
    ),
    "something behind thousands of others": (
        """
    things = [Thing() for _ in range(10_001)]

    @world.actor
    async def power(cpu):
        for number in range(1, 4):
            await cpu.access("set")
            things[0].value = number

    @world.actor
    async def watchdog(cpu):
        found = []
        for tick in range(2):
            await cpu.access("look")
            found.append(Thing(1) in things or Thing(3) in things and 3)
        if found == [True, 3]:
            await cpu.note("bad")
""",
        "VIOLATED: 1 of all 10 inequivalent schedules",
    ),
    "to both its own": (
        """
    for number in range(3):
        async def mine(cpu, own=None):
            own = own or []
            for step in range(3):
                await cpu.access("mine")
                own.append(step)
        world.add_actor(f"a{number}", mine)
""",
        "HOLDS: the only inequivalent schedule, 9 steps",
    ),
}


@pytest.mark.parametrize("model", MODELS)
def test_what_was_once_believed(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few orders of the one schedule were tried, and none of them showed anything."""
    text, verdict = MODELS[model]
    monkeypatch.chdir(tmp_path)
    bad = '\n    world.always("never", lambda note: "bad" if note.subject == "bad" else None)\n'
    Path("mine.py").write_text(HEAD + text + bad)
    assert verdict in call("prove", "mine.py", "--keep-going").stdout
