"""The engine of a cluster: the same shards as tasks of Dask distributed, on machines that all have this stopmarker.

Only the summary of a shard travels. Dask gives work to another worker when one dies; a shard that does so again and
again comes back as killed. Loaded only when it is asked for: Dask is an extra.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import dask
import distributed

from ..terminal.exits import Refusal, Unfinished
from ..terminal.interrupt import deaf
from .ledger import MOST_KILLS, Lease
from .work import Killed, Result, code_of, perform

PATIENCE = 15.0
"""Seconds until a scheduler must have answered, at the start and when it was lost."""
_COUNT_EVERY = 1.0


class Cluster:
    """Shards on a Dask scheduler, as many at a time as its workers have threads."""

    def __init__(self, client: Any, cluster: Any = None) -> None:
        self._client = client
        self._cluster = cluster
        self._out: dict[Any, Lease] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._submitted = 0
        self._threads = 1
        self._counted = -_COUNT_EVERY

    @property
    def free(self) -> int:
        """How many more pieces it can begin now; without any worker one, which then waits for a worker."""
        now = time.monotonic()
        if now >= self._counted + _COUNT_EVERY:
            self._counted = now
            with suppress(OSError):  # the scheduler is gone: `wait` says so
                self._threads = max(sum(self._client.nthreads().values()), 1)
        return self._threads - len(self._out)

    def submit(self, lease: Lease) -> None:
        """Hand it to the scheduler."""
        self._submitted += 1
        key = f"stopmarker-{self._client.id}-{self._submitted}"
        future = self._client.submit(perform, lease.task, code_of(lease.task.cell), key=key, pure=False)
        self._out[future] = lease
        future.add_done_callback(self._ended.put)

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        """What came back; Unfinished if the scheduler is gone, or workers cannot do this work at all."""
        found: list[tuple[Lease, Result]] = []
        try:
            future = self._ended.get(timeout=seconds)
            while True:
                found.append((self._out.pop(future), self._result(future)))
                future = self._ended.get_nowait()
        except Empty:
            return found

    def close(self) -> None:
        """Call back what is out, and leave; a cluster that was made here ends."""
        with suppress(Exception):
            self._client.cancel(list(self._out), force=True)
        self._out.clear()
        for one in (self._client, self._cluster):
            if one is not None:
                with suppress(Exception):
                    one.close(timeout=5)

    def _result(self, future: Any) -> Result:
        try:
            result: Result = future.result(timeout=PATIENCE)
        except distributed.KilledWorker:
            return Killed("its Dask workers died", MOST_KILLS)
        except (OSError, CancelledError) as error:
            if isinstance(error, TimeoutError) and self._client.status == "running":
                # It was done, and its worker died before anybody had asked for what came of it.
                return Killed("its Dask worker died with its result")
            reason = " ".join(f"{type(error).__name__} {error}".split())
            raise Unfinished(f"campaign: the Dask scheduler is gone ({reason})") from None
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise Unfinished(f"campaign: a Dask worker cannot work ({reason}); has it this stopmarker?") from None
        return result


def connect(jobs: int, scheduler: str | None) -> Cluster:
    """The cluster of a scheduler's address, or a new one with `jobs` workers on this machine; Refusal if impossible."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    dask.config.set({"distributed.comm.timeouts.connect": PATIENCE})
    if scheduler is not None:
        return Cluster(_client(scheduler))
    with deaf(signal.SIGINT), dask.config.set({"distributed.scheduler.allowed-failures": MOST_KILLS - 1}):
        cluster = distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        return Cluster(_client(cluster.scheduler_address), cluster)


def _client(address: str) -> Any:
    async def reach() -> None:
        security = distributed.Security().get_connection_args("client")
        comm = await distributed.comm.connect(address, timeout=PATIENCE, **security)
        await comm.close()

    try:
        asyncio.run(reach())  # first: a client that never was connected waits for the answer to its farewell
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError, distributed.TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Refusal(f"reach the Dask scheduler {address}: {reason}") from None
