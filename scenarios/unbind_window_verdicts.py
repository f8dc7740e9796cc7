"""What each shipped combination of `unbind-window` must come to, and why: the table that tests and `list` show."""

from __future__ import annotations

from .scenario import Expected

CROSS = "no-cross-binding-fault"
REUSE = "no-pasid-reuse-while-referenced"
HANG = "no-deadlock"
TINY = {"priq": 0}
PAIR = {"group": 2, "priq": 0}

ON_SMMUV3 = (
    Expected(
        params={"drain": "none", "stop": "B"},
        verdict="violated",
        oracle=CROSS,
        why="seed 000: the request is dequeued, or looked up, after the PASID has its next owner",
    ),
    Expected(
        params={"drain": "none", "stop": "A"},
        verdict="holds",
        why="the device waited for every response, so nothing is left to drain",
    ),
    Expected(
        params={"drain": "none", "stop": "A", "reuse": "strict", **PAIR},
        verdict="violated",
        oracle=REUSE,
        why="overflow answers the Last with Success: the device thinks it is done, the rest of its group is queued",
    ),
    Expected(
        params={"drain": "full", "stop": "B"},
        verdict="holds",
        why="all that was queued before the drain is answered before the PASID is free",
    ),
    Expected(
        params={"drain": "full", "stop": "A"}, verdict="holds", why="nothing is left, and draining it is harmless"
    ),
    Expected(
        params={"drain": "full", "stop": "A", "reuse": "strict", **PAIR},
        verdict="holds",
        why="the drain also discards what an automatic response left behind",
    ),
    Expected(
        params={"drain": "marker", "stop": "B"},
        verdict="holds",
        why="the marker is behind every request of the PASID, and the faults before it are flushed",
    ),
    Expected(
        params={"drain": "marker", "stop": "A", "flags": "swapped"},
        verdict="violated",
        oracle=HANG,
        why="A reported as FLUSHED: unbind waits for a marker that this device never sends",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", "flags": "swapped"},
        verdict="violated",
        oracle=CROSS,
        why="B reported as CLEAN: the PASID is handed out with requests and marker still on their way",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", "flags": "missing"},
        verdict="holds",
        why="unbind refuses with EINVAL: the PASID leaks, but nobody else gets it",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", **TINY},
        verdict="violated",
        oracle=HANG,
        why="an overflow eats the marker and nothing else will wake unbind",
    ),
    Expected(
        params={"drain": "marker-timeout", "stop": "B", **TINY},
        verdict="holds",
        why="the time-out drains what the marker would have announced",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "pushed": "root-complex"},
        verdict="violated",
        oracle=CROSS,
        why="a drain sees only what is in the queue: a request may still be on its way from the root complex",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", "pushed": "root-complex"},
        verdict="holds",
        why="what a Stop Marker is for: it comes behind every request, wherever they are",
    ),
    Expected(
        params={"drain": "stop-pri", "stop": "B"},
        verdict="violated",
        oracle=CROSS,
        why="pending faults are those that software knows; the queue is not looked at, and PRI off calls nothing back",
    ),
    Expected(
        params={"drain": "stop-pri", "stop": "A"},
        verdict="violated",
        oracle=CROSS,
        why="nobody asked the device to wait, so it is no better than B",
    ),
    Expected(
        params={"drain": "full", "stop": "broken"},
        verdict="violated",
        oracle="device-keeps-its-stop-contract",
        why="the device goes on after it said it stopped: its fault, not the driver's",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "trigger": "exit"},
        verdict="holds",
        why="the release callback stops the device and drains before the pages go",
    ),
    Expected(
        params={"drain": "none", "stop": "B", "trigger": "exit"},
        verdict="violated",
        oracle=CROSS,
        why="the same window, opened by the release callback",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "trigger": "exit", "flags": "missing"},
        verdict="holds",
        why="the callback does not say in what state it left the PASID: translation ends, the PASID stays allocated",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "trigger": "exit", "mmput": "sync"},
        verdict="violated",
        oracle=HANG,
        why="a fault drops the last pin, so the worker runs the release callback, which waits for the worker's fault",
    ),
    Expected(
        params={"drain": "full", "stop": "A", "reclaim": 1},
        verdict="holds",
        why="a page is freed only after TLB and ATC have let go of it",
    ),
    Expected(
        params={"drain": "full", "stop": "A", "reclaim": 1, "mutant": "forget-atc"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="the device still holds the translation of a page that was freed",
    ),
    Expected(
        params={"drain": "full", "stop": "A", "requests": 2, "mutant": "answer-group-0"},
        verdict="violated",
        oracle="no-stray-response",
        why="the answer to group 1 completes group 0",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "mutant": "lose-response"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="the fault is handled and nobody is told",
    ),
    Expected(
        params={"drain": "none", "stop": "A", "mutant": "answer-marker"},
        verdict="holds",
        why="the mutant answers markers, and a device of style A sends none",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", "mutant": "answer-marker"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="the marker is answered like a request, which wants no response",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "mutant": "leaky-device"},
        verdict="violated",
        oracle="credits-come-back",
        why="responses to stale requests are ignored",
    ),
)

VTD = {"iommu": "vtd"}
ON_VTD = (
    Expected(
        params={"drain": "none", "stop": "B", **VTD},
        verdict="violated",
        oracle=CROSS,
        why="that a page request's PASID entry is checked on arrival does not help one which is queued already",
    ),
    Expected(params={"drain": "none", "stop": "A", **VTD}, verdict="holds", why="the device waited for every response"),
    Expected(
        params={"drain": "none", "stop": "A", "reuse": "strict", **PAIR, **VTD},
        verdict="violated",
        oracle=REUSE,
        why="overflow answers the Last with Success here, too: all responses received, and a request still queued",
    ),
    Expected(
        params={"drain": "full", "stop": "B", **VTD},
        verdict="holds",
        why="one run of the thread takes all that the device had pushed, and the faults are flushed",
    ),
    Expected(params={"drain": "full", "stop": "A", **VTD}, verdict="holds", why="nothing is left"),
    Expected(
        params={"drain": "full", "stop": "A", "reuse": "strict", **PAIR, **VTD},
        verdict="holds",
        why="the drain also discards what an automatic response left behind",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "trigger": "exit", **VTD},
        verdict="holds",
        why="the release callback stops the device and drains before the pages go",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "trigger": "exit", "mmput": "sync", **VTD},
        verdict="violated",
        oracle=HANG,
        why="the worker runs the release callback, which waits for the worker: races VTD-R05 and VTD-R07",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "pushed": "root-complex", **VTD},
        verdict="violated",
        oracle=CROSS,
        why="a drain without the round trip to the device sees only what is queued: compare D4 (vtd-pcie §3.6)",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", "pushed": "root-complex", **VTD},
        verdict="holds",
        why="the marker comes behind every request, wherever they are; Linux ignores markers on VT-d",
    ),
    Expected(
        params={"drain": "marker", "stop": "B", **TINY, **VTD},
        verdict="violated",
        oracle=HANG,
        why="while PRO is set nothing is queued: with ECAP.SMS the marker is lost without a word",
    ),
    Expected(
        params={"drain": "stop-pri", "stop": "B", **VTD},
        verdict="violated",
        oracle=CROSS,
        why="PRI off calls nothing back, whoever checks requests on arrival",
    ),
    Expected(
        params={"drain": "full", "stop": "A", "reclaim": 1, "mutant": "forget-atc", **VTD},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="a translated write is not looked up again: the device still holds the page",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "mutant": "lose-response", **VTD},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="one fault code, so one mutant, on both IOMMUs",
    ),
    Expected(
        params={"drain": "full", "stop": "B", "mutant": "leaky-device", **VTD},
        verdict="violated",
        oracle="credits-come-back",
        why="responses to stale requests are ignored",
    ),
)
EXPECTED = (*ON_SMMUV3, *ON_VTD)
