"""Before a campaign begins: the sizes of its shards, found out by workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from loguru import logger

from ..terminal.exits import Diverged, Exit, ModelError, Refusal
from ..terminal.interrupt import StopRequest
from .cells import LARGEST, Cell
from .ledger import MOST_KILLS, Lease
from .probe import Probe, Size
from .work import LOOK_EVERY, Engine, Failed, Killed, OtherCode, Result

PATIENCE = 60.0
"""Seconds after which a probe, which takes a moment, is taken to hang."""


def sized(cells: Sequence[Cell], schedules: int | None, engine: Engine, stop: StopRequest) -> tuple[Cell, ...]:
    """The cells, those that had no size with one; no shard is larger than `schedules`.

    What kills its worker, or hangs, is one large shard, which is then set aside. Refusal for worlds that cannot be
    built, KeyboardInterrupt after Ctrl-C.
    """
    probes = {_probe(cell): LARGEST for cell in cells if not cell.size}
    waiting = deque(Lease(task=probe, cell=0) for probe in probes)
    kills: Counter[Probe] = Counter()
    out = 0
    while waiting or out:
        if stop.requested:
            raise KeyboardInterrupt("0 schedules; nothing was made")
        while waiting and engine.free > 0:
            engine.submit(waiting.popleft())
            out += 1
        for lease, result in engine.wait(LOOK_EVERY):
            assert isinstance(lease.task, Probe)
            out -= 1
            if isinstance(result, Size):
                probes[lease.task] = result.schedules
            elif _is_tried_again(lease.task, result, kills):
                waiting.append(lease)
    most = schedules or LARGEST
    return tuple(cell if cell.size else replace(cell, size=min(probes[_probe(cell)], most)) for cell in cells)


def _probe(cell: Cell) -> Probe:
    return Probe(replace(cell, strategy="walk"))


def _is_tried_again(probe: Probe, result: Result, kills: Counter[Probe]) -> bool:
    match result:
        case Failed(reason, code):
            raise {Exit.ERROR: ModelError, Exit.DIVERGED: Diverged}.get(code, Refusal)(reason)
        case OtherCode(where):
            raise Refusal(f"start with {where}: it was changed in this moment; start again")
        case Killed(reason, times):
            kills[probe] += times
            if kills[probe] < MOST_KILLS:
                return True
            logger.warning("{} cannot even be tried: {}, {} times", probe.cell.experiment, reason, kills[probe])
    return False
