"""What each way of sharing the command queue comes to, and why."""

from __future__ import annotations

from .scenario import Expected

RUN = "commands-run-as-issued"
HANG = "no-deadlock"

EXPECTED = (
    Expected(
        params={"issue": "lock-free"},
        verdict="holds",
        why="a slot is published when it is filled, reserved again when it is consumed, and nobody waits for ever",
    ),
    Expected(
        params={"issue": "lock-free", "synced": 2},
        verdict="holds",
        why="the same where both wait: who leaves last moves CONS",
    ),
    Expected(
        params={"issue": "lock-free", "batches": 1, "synced": 2, "entries": 1},
        verdict="holds",
        why="the shared lock keeps a queue of two slots from going round behind who waits",
    ),
    Expected(
        params={"issue": "lock-free-poll", "batches": 1, "synced": 2},
        verdict="holds",
        why="without messages: CONS less than a lap beyond the CMD_SYNC has passed it",
    ),
    Expected(
        params={"issue": "lock-free-poll", "batches": 1, "synced": 2, "entries": 1},
        verdict="holds",
        why="the same where every batch is a whole lap",
    ),
    Expected(
        params={"issue": "lock-free", "batches": 1, "cpus": 3},
        verdict="holds",
        why="an owner serves two others",
    ),
    Expected(
        params={"issue": "no-time-out", "others": 2, "synced": 2, "entries": 1},
        verdict="violated",
        oracle=HANG,
        why="who moved CONS holds the lock on while another one waits and leaves: neither moves it again, and only the "
        "time-out of one second ends the wait for room",
    ),
    Expected(
        params={"issue": "forget-waiters", "synced": 2, "entries": 1},
        verdict="violated",
        oracle="no-waiter-is-overtaken",
        why="SMMU-R12: the exclusive unlock stores 0, so the next exclusive lock is free to pass who was counted",
    ),
    Expected(
        params={"issue": "publish-early", "batches": 1, "synced": 2},
        verdict="violated",
        oracle=RUN,
        why="the owner writes PROD over slots that another CPU has reserved and not yet filled",
    ),
    Expected(
        params={"issue": "keep-polarity"},
        verdict="violated",
        oracle=RUN,
        why="on the second lap the map still says valid from the first",
    ),
    Expected(
        params={"issue": "hand-over-first", "batches": 1, "synced": 2},
        verdict="violated",
        oracle=RUN,
        why="the next owner's PROD is written first, and taken back",
    ),
    Expected(
        params={"issue": "no-swap", "batches": 1, "size": 0, "synced": 2, "entries": 1},
        verdict="violated",
        oracle="sync-covers-its-batch",
        why="two CPUs share a slot, and one returns because the other's CMD_SYNC is complete",
    ),
    Expected(
        params={"issue": "no-lock", "batches": 1, "synced": 2, "entries": 1},
        verdict="violated",
        oracle=HANG,
        why="CONS goes a whole lap beyond the CMD_SYNC, which looks as if it had yet to come",
    ),
    Expected(
        params={"issue": "late-lock", "batches": 1, "others": 3, "size": 0, "synced": 2, "entries": 1},
        verdict="violated",
        oracle=HANG,
        why="between the valid mark and the lock another owner publishes the CMD_SYNC, and a lap goes by",
    ),
    Expected(
        params={"issue": "no-wrap", "batches": 1, "synced": 2, "entries": 1},
        verdict="violated",
        oracle="sync-covers-its-batch",
        why="an index without its wrap bit is the same on every lap",
    ),
)
