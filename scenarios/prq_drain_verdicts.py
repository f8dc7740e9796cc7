"""What each shipped combination of `prq-drain` must come to, and why."""

from __future__ import annotations

from actors.runtime.schedule import ParamValue

from .scenario import Expected

CROSS = "no-cross-binding-fault"
LATE = "no-fault-handled-after-unbind"
REUSE = "no-pasid-reuse-while-referenced"
INSIDE = "no-response-after-unbind"
HANG = "no-deadlock"
ALONE: dict[str, ParamValue] = {"unbind": "drain-first", "pushed": "root-complex"}
ONE_CREDIT: dict[str, ParamValue] = {"requests": 2, "credits": "one", "stop": "A"}
PARTIALS: dict[str, ParamValue] = {"priq": 0, "reuse": "strict"}
OWNER: dict[str, ParamValue] = {"watch": "owner"}
UNANSWERED = "every-last-is-answered-once"

EXPECTED = (
    Expected(
        params={"driver": "none"},
        verdict="violated",
        oracle=INSIDE,
        why="VTD-R02: the fault is handled in time, but nobody waits for its answer, which leaves after the binding",
    ),
    Expected(
        params={"driver": "none", "watch": "handled"},
        verdict="violated",
        oracle=LATE,
        why="VTD-R02: the request is still in the queue, or with the worker, when its binding is over",
    ),
    Expected(
        params={"driver": "none", **OWNER},
        verdict="violated",
        oracle=CROSS,
        why="VTD-R02: the request is still in the queue, or with the worker, when the PASID has its next owner",
    ),
    Expected(
        params={"driver": "none", "find": "report", "watch": "handled"},
        verdict="violated",
        oracle=LATE,
        why="VTD-R02, later kernels: the owner was found in time; the worker follows a handle that unbind took away",
    ),
    Expected(
        params={"driver": "none", "find": "report", **OWNER},
        verdict="violated",
        oracle=CROSS,
        why="to find the owner with the report is no help to a request that is reported under the next one",
    ),
    Expected(
        params={"driver": "right", "find": "report"},
        verdict="holds",
        why="nothing protects the handle but the drain, which waits for queue and worker",
    ),
    Expected(
        params={"driver": "none", "group": 2, "stop": "A", **PARTIALS},
        verdict="violated",
        oracle=REUSE,
        why="overflow answers the Last with Success: the device has all its answers, the rest of the group is queued",
    ),
    Expected(
        params={"driver": "no-recheck", "group": 2, "watch": "handled"},
        verdict="violated",
        oracle=LATE,
        why="VTD-R02, v2: the batch that unbind waits for began before the second request came",
    ),
    Expected(
        params={"driver": "right", "group": 2},
        verdict="holds",
        why="who finds an entry and waits for a batch looks again",
    ),
    Expected(
        params={"driver": "one-descriptor"},
        verdict="holds",
        why="VTD-R02, v4: the tear-down has just asked the device itself, so that a second round trip brings nothing",
    ),
    Expected(
        params={"driver": "one-descriptor", **ALONE, **OWNER},
        verdict="violated",
        oracle=CROSS,
        why="VTD-R02, v4: without a tear-down before it, a request on its way comes into the queue behind the drain",
    ),
    Expected(
        params={"driver": "right", **ALONE, **OWNER},
        verdict="violated",
        oracle=CROSS,
        why="D4 asks the device when D1 has looked for the last time: D1 to D5 lean on the tear-down's round trip",
    ),
    Expected(
        params={"driver": "again", **ALONE},
        verdict="violated",
        oracle=INSIDE,
        why="looking again behind D4 finds what that has brought; no PD follows the answer, which may still be inside",
    ),
    Expected(
        params={"driver": "twice", **ALONE},
        verdict="holds",
        why="a second round, hardware included, needs no tear-down before it",
    ),
    Expected(
        params={"driver": "early-clear", "group": 3, "stop": "A", **PARTIALS},
        verdict="violated",
        oracle=REUSE,
        why="VTD-R03: PRO reads 0 while the queue has a request whose Last was lost: it stays on the partial list",
    ),
    Expected(
        params={"driver": "no-overflow", "group": 2, "stop": "A", **PARTIALS},
        verdict="violated",
        oracle=REUSE,
        why="D5: the queue is empty, and the thread has not discarded the partial group yet",
    ),
    Expected(
        params={"driver": "right", "group": 2, "stop": "A", **PARTIALS},
        verdict="holds",
        why="PRO goes last, and unbind waits for it",
    ),
    Expected(
        params={"driver": "lost", "order": "O1", **OWNER},
        verdict="violated",
        oracle=CROSS,
        why="VTD-R04: release has cleared P, so the tear-down of unbind returns at once, and its drain is lost",
    ),
    Expected(
        params={"driver": "in-release", "order": "O1"},
        verdict="violated",
        oracle="BrokenRule",
        why="VTD-R05: the release callback drains, which sleeps, in an atomic section",
    ),
    Expected(
        params={"driver": "in-release", "order": "O1", "release": "sleeps"},
        verdict="violated",
        oracle=HANG,
        why="VTD-R07: the worker drops the last pin, so it runs the callback, which waits for the worker",
    ),
    Expected(
        params={"driver": "trusts-first", "order": "O5", "pushed": "root-complex", "watch": "handled"},
        verdict="violated",
        oracle=LATE,
        why="release has cleared P, not flushed yet: a stale PASID cache lets a request in behind unbind's last look",
    ),
    Expected(
        params={"driver": "right", "order": "O5", "pushed": "root-complex"},
        verdict="holds",
        why="unbind waits until release is through with its flush",
    ),
    Expected(
        params={"driver": "right", "unbind": "mutex-held"},
        verdict="violated",
        oracle=HANG,
        why="VTD-R06: unbind waits for the worker with the mutex that the worker's answer needs",
    ),
    Expected(
        params={"driver": "right", "unbind": "mutex-dropped"},
        verdict="holds",
        why="the mutex is free while unbind waits",
    ),
    Expected(
        params={"driver": "marker", "stop": "B"},
        verdict="violated",
        oracle=UNANSWERED,
        why="VTD-R20: the marker is reported as a fault and answered, which no device expects",
    ),
    Expected(params={"driver": "right"}, verdict="holds", why="queue, workers and hardware are empty of the PASID"),
    Expected(
        params={"driver": "right", "pushed": "root-complex"},
        verdict="holds",
        why="the tear-down's round trip has pushed the request into the queue before D1 looks",
    ),
    Expected(
        params={"driver": "right", "stop": "B"},
        verdict="holds",
        why="the same with a marker behind it, which is dropped",
    ),
    Expected(
        params={"driver": "right", "order": "O1"},
        verdict="holds",
        why="release closes the door, unbind finds P=0 and FPD=1, and drains",
    ),
    Expected(
        params={"driver": "right", "pds": "ignored"},
        verdict="violated",
        oracle=INSIDE,
        why="VTD-R25: a wait says that a response was carried out, and only with PD that it has left",
    ),
    Expected(
        params={"driver": "right", "pds": "reserved"},
        verdict="violated",
        oracle=HANG,
        why="VTD-R25: hardware refuses the wait with PD=1 (IQE), the queue stops for all, and nobody looks at FSTS; "
        "Linux does (vtd-pcie §2.4), which is the next row",
    ),
    Expected(
        params={"driver": "checks-iqe", "pds": "reserved"},
        verdict="violated",
        oracle=INSIDE,
        why="a harmless wait takes its place and the queue runs again; that the drain has failed, unbind ignores",
    ),
    Expected(
        params={"driver": "checks-iqe", "pds": "reserved", "stop": "A"},
        verdict="holds",
        why="a device that waits for its answers leaves nothing that PD would have to push out",
    ),
    Expected(
        params={"driver": "right", "stop": "B", "sms": "no"},
        verdict="violated",
        oracle="no-unexpected-response",
        why="ECAP.SMS=0: a marker whose entry is gone is answered, if hardware takes it for any other Last",
    ),
    Expected(
        params={"driver": "right", **ONE_CREDIT, "priq": 0},
        verdict="holds",
        why="VTD-R27: a queue as large as the allocation overflows before PQH moves; hardware answers what it drops",
    ),
    Expected(
        params={"driver": "right", "overflow": "silent", **ONE_CREDIT, "priq": 0},
        verdict="violated",
        oracle=UNANSWERED,
        why="VTD-R27: the answer gives the credit back, PQH moves behind the batch: the next request finds no room, is "
        "lost without a word, so that this device waits for ever",
    ),
    Expected(
        params={"driver": "right", "overflow": "silent", "requests": 2, "stop": "B", "priq": 0},
        verdict="violated",
        oracle=UNANSWERED,
        why="a device that waits for no answer notices nothing; the request is as lost (vtd-pcie §1.4)",
    ),
    Expected(
        params={"driver": "right", "overflow": "silent", **ONE_CREDIT, "requests": 4},
        verdict="holds",
        why="VTD-R27: with room for twice the allocation nothing is ever dropped: two of four are in the queue at most",
    ),
    Expected(
        params={"driver": "right", "overflow": "silent", "requests": 4, "stop": "A"},
        verdict="violated",
        oracle=UNANSWERED,
        why="VTD-R27: all four at once, which is their allocation here: the same queue has room for three, one is lost",
    ),
    Expected(
        params={"driver": "right", "stop": "leaky"},
        verdict="violated",
        oracle="credits-come-back",
        why="a device that does not look at answers behind its stop: unbind is right, and the device starves later",
    ),
    Expected(
        params={"driver": "right", "requests": 2, "credits": "ignored", "stop": "A", "priq": 0},
        verdict="violated",
        oracle="credits-stay-within-the-allocation",
        why="what the queue's size leans on is the device's word",
    ),
)
