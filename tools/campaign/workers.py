"""The engine of one machine: spawned processes, each with a pipe, each with one piece of work at a time.

A worker that is killed loses what it was doing and nothing else; another one takes its place. When the coordinator is
killed its workers end by themselves. They do not hear Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from loguru import logger

from ..exits import Unfinished
from ..interrupt import REQUESTS, deaf, watch_worker
from ..log import configure
from ..prover import end_with_parent
from .ledger import Lease
from .work import Killed, Result, Task, code_of, perform

LONGEST = 900.0
"""Seconds after which a piece of work is taken to hang (a model that loops without a step), and its worker killed."""
_MOST_STILLBORN = 3


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    lease: Lease | None = None
    since: float = 0.0
    ready: bool = False


class Workers:
    """`jobs` processes, started when there is work for them."""

    def __init__(self, jobs: int, longest: float = LONGEST) -> None:
        self._jobs = jobs
        self._longest = longest
        self._workers: list[_Worker] = []
        self._stillborn = 0

    @property
    def free(self) -> int:
        """How many more pieces it can begin now."""
        return self._jobs - sum(worker.lease is not None for worker in self._workers)

    def submit(self, lease: Lease) -> None:
        """Give it to an idle worker, or to a new one."""
        worker = next((worker for worker in self._workers if worker.lease is None), None) or self._start()
        worker.lease, worker.since = lease, time.monotonic()
        try:
            worker.pipe.send((lease.task, code_of(lease.task.cell)))
        except OSError:
            logger.debug("worker {} died idle", worker.process.pid)  # `wait` will see it

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        """What the workers have sent, and what those that died were doing."""
        if not self._workers:
            return []
        ends: list[Connection | int] = [end for one in self._workers for end in (one.pipe, one.process.sentinel)]
        ready = wait(ends, seconds)
        found: list[tuple[Lease, Result]] = []
        for worker in list(self._workers):
            if worker.pipe in ready or worker.process.sentinel in ready:
                self._receive(worker, found)
            elif worker.ready and worker.lease is not None and time.monotonic() - worker.since > self._longest:
                logger.warning("{} takes longer than {:.0f} s: its worker is killed", worker.lease, self._longest)
                worker.process.kill()
        return found

    @property
    def processes(self) -> list[int]:
        """The numbers of the processes, as the system counts them."""
        return [worker.process.pid or 0 for worker in self._workers]

    def close(self) -> None:
        """Kill the workers."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._bury(worker)
        self._workers.clear()

    def _start(self) -> _Worker:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs,), daemon=True)
        with deaf(*REQUESTS):
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _receive(self, worker: _Worker, found: list[tuple[Lease, Result]]) -> None:
        """Take what a worker has sent; what a dead one sent before it died counts."""
        try:
            while worker.pipe.poll():
                message: Result | None = worker.pipe.recv()
                if message is None:
                    worker.ready, worker.since = True, time.monotonic()
                    self._stillborn = 0
                elif worker.lease is not None:
                    found.append((worker.lease, message))
                    worker.lease = None
        except (EOFError, OSError):
            self._mourn(worker, found)

    def _mourn(self, worker: _Worker, found: list[tuple[Lease, Result]]) -> None:
        self._workers.remove(worker)
        self._bury(worker)
        reason = f"its worker ended with exit code {worker.process.exitcode}"
        if worker.lease is not None:
            found.append((worker.lease, Killed(reason, int(worker.ready))))
        self._stillborn += not worker.ready
        if self._stillborn >= _MOST_STILLBORN:
            raise Unfinished(f"campaign: {self._stillborn} workers in a row died before they could begin ({reason})")

    @staticmethod
    def _bury(worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.kill()
        worker.process.join()


def work(pipe: Connection) -> None:
    """A worker's life: say that it is there, then one piece of work after the other, until nobody listens."""
    end_with_parent()
    configure(verbose=False)
    watch_worker()
    pipe.send(None)
    try:
        while True:
            task: Task
            task, code = pipe.recv()
            pipe.send(perform(task, code))
    except (EOFError, OSError):
        return
