"""What each shipped combination of `exit-window` must come to, and why: the table that tests and `list` show."""

from __future__ import annotations

from ..scenario import Expected

LOG = "fault-log-is-silent-until-stop"
HIDDEN = "fault-after-unbind-is-visible"
LATE = "no-fault-handled-after-unbind"
REACHES = "no-access-after-unbind"
FOREIGN = "no-dma-into-foreign-frame"
BEHIND = "no-write-behind-its-invalidation"
STAYS = "fpd-is-clear-after-unbind"
SLEEP = "BrokenRule"

WINDOW = (
    Expected(
        params={"fpd": "5.7"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=LOG,
        why="seed 003: the entry is gone, the device has not been told, and each of its accesses is a reported fault",
    ),
    Expected(
        params={"fpd": "5.7", "traffic": "read"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=LOG,
        why="a read gets UR either way; what is wrong is that somebody hears of it",
    ),
    Expected(
        params={"fpd": "5.7", "traffic": "ats"},
        verdict="holds",
        why="only untranslated accesses are recorded: a translation request gets R=W=0, a page request Invalid",
    ),
    Expected(
        params={"fpd": "5.7", "order": "O3"},
        leaves=("PASID_ENTRY_P",),
        verdict="violated",
        oracle=LOG,
        why="the longer the file outlives the process, the more there is to log",
    ),
    Expected(
        params={"fpd": "5.7", "order": "O2"},
        verdict="vacuous",
        why="who closes first stops the device while its PASID still translates: there is no window",
    ),
    Expected(
        params={"fpd": "5.7", "accesses": 2, "rogue": 1, "records": 1, "watch": "after"},
        verdict="violated",
        oracle=HIDDEN,
        why="what the harmless accesses leave in the log is all there is room for: the genuine bug is lost (PFO)",
    ),
    Expected(params={"fpd": "5.8"}, verdict="holds", why="FPD comes with the word that takes P away"),
    Expected(params={"fpd": "5.8", "rogue": 1}, verdict="holds", why="unbind clears the entry again, with FPD"),
    Expected(
        params={"fpd": "5.8", "cache": "cold"},
        verdict="violated",
        oracle=LOG,
        why="a fetch in four reads sees P before and a cleared root after: it walks at 0, and FPD was not in its half",
    ),
    Expected(
        params={"fpd": "5.8", "cache": "cold", "fetch": 1}, verdict="holds", why="in one read nothing can be torn"
    ),
)
ERA_BY_ERA = (
    Expected(
        params={"fpd": "5.13"},
        verdict="violated",
        oracle=STAYS,
        why="an absent entry is left alone, so FPD stays, whether or not the device does anything",
    ),
    Expected(
        params={"fpd": "5.13", "rogue": 1, "watch": "after"},
        verdict="violated",
        oracle=HIDDEN,
        why="and what it is there to hide: an access after unbind fails without a trace",
    ),
    Expected(
        params={"fpd": "5.13", "traffic": "page-request", "watch": "after"},
        verdict="holds",
        why="FPD stays, but unbind still calls the drain itself",
    ),
    Expected(params={"fpd": "6.13"}, verdict="violated", oracle=STAYS, why="the same early return, and the same FPD"),
    Expected(
        params={"fpd": "6.13", "traffic": "page-request", "watch": "after"},
        verdict="violated",
        oracle=LATE,
        why="the early return skips the drain as well",
    ),
    Expected(
        params={"fpd": "6.13", "traffic": "page-request", "find": "report", "watch": "after"},
        verdict="violated",
        oracle=LATE,
        why="as later kernels have it: it is reported when the binding is over, or the handle is used then",
    ),
    Expected(
        params={"fpd": "6.13-rc1"},
        verdict="violated",
        oracle=SLEEP,
        why="the release callback drains: it sleeps under the read side of SRCU",
    ),
    Expected(
        params={"fpd": "6.13-rc1", "traffic": "page-request", "order": "O4", "watch": "after"},
        verdict="violated",
        oracle=SLEEP,
        why="and where the fault worker runs it, it would flush the work queue that it is part of",
    ),
    Expected(params={"fpd": "6.14", "rogue": 1}, verdict="holds", why="P=0 and FPD=1: release was here, so clear it"),
    Expected(
        params={"fpd": "6.14", "traffic": "page-request"}, verdict="holds", why="and drain, as the callback could not"
    ),
    Expected(
        params={"fpd": "6.14", "traffic": "page-request", "find": "report"},
        verdict="holds",
        why="nothing protects the handle but that drain",
    ),
    Expected(
        params={"fpd": "6.14", "traffic": "page-request", "order": "O4"},
        verdict="holds",
        why="the worker only clears the entry; the drain is unbind's",
    ),
    Expected(params={"fpd": "6.14", "order": "O5"}, verdict="holds", why="a device that has stopped cannot notice"),
    Expected(
        params={"fpd": "6.14", "order": "O5", "rogue": 1},
        verdict="violated",
        oracle=REACHES,
        why="the second finds P=0 and returns while the first still flushes: a device that goes on meets a stale entry",
    ),
    Expected(
        params={"fpd": "6.14", "traffic": "ats", "order": "O5", "rogue": 1},
        verdict="violated",
        oracle=FOREIGN,
        why="release finds P=0 and does not wait for unbind's invalidation of the device's TLB: the pages are freed",
    ),
)
TODAY = (
    Expected(
        params={"fpd": "2026"},
        verdict="violated",
        oracle=LOG,
        why="P goes first, and the code that sets FPD asks for P: the window of seed 003 is open again",
    ),
    Expected(
        params={"fpd": "2026", "traffic": "page-request"},
        verdict="violated",
        oracle=LATE,
        why="without FPD unbind takes the entry for one that never was, and does not drain",
    ),
    Expected(
        params={"fpd": "2026", "cache": "cold", "watch": "after"},
        verdict="holds",
        why="what it is for: no fetch sees half an entry",
    ),
    Expected(
        params={"fpd": "2026-meant"},
        verdict="violated",
        oracle=LOG,
        why="FPD comes with the other fields, and until then the absent entry reports",
    ),
    Expected(
        params={"fpd": "2026-meant", "traffic": "ats", "order": "O5"},
        verdict="violated",
        oracle=STAYS,
        why="unbind finds neither P nor FPD and returns; release, which is not through yet, sets FPD behind it",
    ),
    Expected(params={"fpd": "right"}, verdict="holds", why="P and FPD change in one store"),
    Expected(params={"fpd": "right", "traffic": "read"}, verdict="holds", why="reads get UR, and nobody hears of it"),
    Expected(
        params={"fpd": "right", "cache": "cold"},
        verdict="holds",
        why="the root is cleared when no fetch of the present entry is left",
    ),
    Expected(params={"fpd": "right", "rogue": 1}, verdict="holds", why="after unbind there is no FPD"),
    Expected(params={"fpd": "right", "order": "O3", "rogue": 1}, verdict="holds", why="whoever calls unbind"),
    Expected(
        params={"fpd": "right", "traffic": "ats"},
        verdict="holds",
        why="the release callback waits for the device's own TLB before a page is freed",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "late": "cache"},
        verdict="violated",
        oracle=BEHIND,
        why="a completion that comes after the invalidation was answered must be dropped (PCIe 10.3.3)",
    ),
    Expected(
        params={"fpd": "5.7", "traffic": "ats", "late": "cache"},
        verdict="violated",
        oracle=BEHIND,
        why="the same without FPD: the device is to blame",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "late": "cache", "watch": "memory"},
        verdict="violated",
        oracle=FOREIGN,
        why="and what becomes of it: the page was freed on the device's word",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "order": "O2", "rogue": 1},
        verdict="holds",
        why="a device that goes on after its stop has its own TLB left, until unbind has emptied that",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "order": "O5", "rogue": 1},
        verdict="holds",
        why="neither page nor PASID is given away before the device's TLB is empty, whoever comes first",
    ),
    Expected(
        params={"fpd": "forgets-device-tlb", "traffic": "ats"},
        verdict="violated",
        oracle=FOREIGN,
        why="release leaves the device its translations, and the pages go",
    ),
    Expected(
        params={"fpd": "forgets-device-tlb", "traffic": "ats", "order": "O2", "rogue": 1},
        verdict="holds",
        why="what unbind's tear-down forgets, its drain does: a round trip to the device is part of that (D3)",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "order": "O2", "rogue": 1, "pri": "off"},
        verdict="holds",
        why="without PRI nothing is drained; the tear-down itself empties the device's TLB",
    ),
    Expected(
        params={
            "fpd": "forgets-device-tlb",
            "traffic": "ats",
            "order": "O2",
            "rogue": 1,
            "pri": "off",
            "watch": "access",
        },
        verdict="violated",
        oracle=REACHES,
        why="nobody asks the device to forget: what it sends after unbind has an address that nobody looks up",
    ),
    Expected(
        params={"fpd": "right", "traffic": "page-request", "order": "O4"},
        verdict="holds",
        why="the callback does not sleep, whoever runs it; what was queued is drained by unbind",
    ),
    Expected(params={"fpd": "right", "order": "O5"}, verdict="holds", why="one of the two finds P, the other waits"),
    Expected(
        params={"fpd": "right", "traffic": "page-request", "refusal": "failure"},
        verdict="violated",
        oracle="page-requests-stay-on",
        why="as AMD's software answers: a process that dies takes the page requests of all others with it",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "order": "O5"},
        verdict="holds",
        why="whoever comes second empties the device's TLB once more, or waits for who does",
    ),
    Expected(
        params={"fpd": "right", "traffic": "page-request", "order": "O5"},
        verdict="holds",
        why="unbind drains behind the callback's flush, whichever of the two has cleared the entry",
    ),
    Expected(
        params={"fpd": "right", "order": "O5", "rogue": 1},
        verdict="holds",
        why="unbind waits for the callback (SRCU), and the callback flushes once more: neither trusts the other",
    ),
)
OPEN = (
    Expected(
        params={"fpd": "5.7", "traffic": "ats", "absent": "ur"},
        verdict="violated",
        oracle=LOG,
        why="if a translation request gets UR for an absent entry, and that is recorded, not only AT=00 shows up there",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "absent": "ur"},
        verdict="holds",
        why="FPD silences that as well; the device takes UR for ATS being off, and is idle until it is told to stop",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "accesses": 2, "absent": "ca"},
        verdict="holds",
        why="after CA, which the device reports by AER, it goes on with its next access; the fault log stays silent",
    ),
    Expected(
        params={"fpd": "right", "traffic": "page-request", "pr_pasid_check": "none", "refusal": "failure"},
        verdict="holds",
        why="hardware that lets every request in refuses none: software answers, with Invalid, and unbind drains",
    ),
    Expected(
        params={"fpd": "6.14", "rogue": 1, "caching": "on"},
        verdict="violated",
        oracle=HIDDEN,
        why="in caching mode the absent entry is cached with FPD, and who clears that in memory flushes nothing; nor "
        "does Linux 7.0",
    ),
    Expected(
        params={"fpd": "right", "rogue": 1, "caching": "on"},
        verdict="holds",
        why="unbind invalidates the PASID cache once more where absent entries are cached",
    ),
    Expected(
        params={"fpd": "5.7", "traffic": "ats", "translated": "checked"},
        verdict="violated",
        oracle=LOG,
        why="if AT=10 looks its entry up, a write that was sent before the device was asked to forget is a fault, too",
    ),
    Expected(
        params={"fpd": "right", "traffic": "ats", "late": "cache", "translated": "checked", "watch": "memory"},
        verdict="holds",
        why="a device that breaks PCIe 10.3.3 is kept out, as its PASID has no entry any more when the page is freed",
    ),
)
"""What is not verified of VT-d ([K], or vtd-pcie §10), or what other IOMMUs do otherwise, taken the other way."""
EXPECTED = (*WINDOW, *ERA_BY_ERA, *TODAY, *OPEN)
