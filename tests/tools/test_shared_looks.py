"""Ways to come to what others change, each of which a proof once overlooked: the pattern shows in one order of many."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from actors.runtime.runners.controlled import controlled
from tools.experiments.experiment import open_experiment
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import explore

HEAD = """
from collections import defaultdict
from functools import partial
from stopmarker import Cpu, World, scenario


class Thing:
    v = 0


async def pause(cpu, value):
    await cpu.access("pause")
    return value


@scenario()
def mine(world: World) -> None:
    w, s, d, l, rows = world.word("w"), Thing(), {"n": 0}, [0], [[0], [0]]
    SETUP

    @world.actor
    async def writer(cpu: Cpu) -> None:
        global last
        for i in range(1, 4):
            await cpu.access("w")
            CHANGE

    @world.actor
    async def reader(cpu: Cpu) -> None:
        seen = []
        for _ in range(2):
            await cpu.access("r")
            LOOK
        if seen == [1, 3]:
            await cpu.note("bad")

    world.always("never", lambda note: "bad" if note.subject == "bad" else None)


last = 0
"""
WAYS = {
    "append what is awaited": ("", "l.append(await pause(cpu, i))", "seen.append(len(l) - 1)", 12),
    "store what is awaited": ("", "d['n'] += await pause(cpu, 1)", "seen.append(d['n'])", 12),
    "an attribute": ("", "s.v += await pause(cpu, 1)", "seen.append(s.v)", 12),
    "a method that is handed over": ("", "d[0] = i", "seen.append(await cpu.rmw(w, {0: 0}.get) or d.get(0, 0))", 12),
    "the width of a format": ("", "l[0] = i", "seen.append(len(f'{1:{l[0]}}'))", 12),
    "an index that is computed": ("k = 0", "rows[k + 1] += [i]", "seen.append(len(rows[1]) - 1)", 12),
    "a text that is filled in": ("", "l[0] = i", "t = '%s'; t %= (l,); seen.append(int(t[1]))", 12),
    "half of an assignment": (
        "",
        "\n            try: last, l[9] = i, 0\n            except IndexError: pass",
        "seen.append(last)",
        10,
    ),
    "a variable that is not there": (
        "x = 1",
        "d[0] = i",
        "\n            try: seen.append(d[0])\n            except KeyError: pass",
        12,
    ),
    "what a partial was given": ("p = partial(dict, v=0)", "d[0] = i", "seen.append(p(d)[0] if d.get(0) else 0)", 12),
    "a generator that is kept": (
        "box = []",
        "\n            if i == 1: box.append(v for v in iter(lambda: l[0], 9))\n            l[0] = i",
        "seen.append(next(box[0]) if box else 0)",
        10,
    ),
    "what a defaultdict calls": ("m = defaultdict(d.copy)", "d['n'] = i", "seen.append(m[len(seen)]['n'])", 10),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_overlooked(way: str, tmp_path: Path) -> None:
    setup, change, look, classes = WAYS[way]
    file = tmp_path / "mine.py"
    file.write_text(HEAD.replace("SETUP", setup).replace("CHANGE", change).replace("LOOK", look))
    experiment = open_experiment(f"{file}::mine", {})

    async def search() -> tuple[list[str], int]:
        async with controlled() as driver:
            report = await explore(driver, experiment.world, Dpor())
        return [found.finding.message for found in report.found.values()], report.schedules

    assert trio.run(search) == (["bad"], classes)
