"""What each shipped combination of `attach-vs-share-asid` must come to, and why: the answer to seed 004."""

from __future__ import annotations

from ..scenario import Expected

TABLES = "one-table-per-asid"
PAGE = "no-access-through-a-foreign-entry"

EXPECTED = (
    Expected(
        params={"attach": "A1"},
        verdict="violated",
        oracle=TABLES,
        why="after list_del share_asid finds no master to rewrite, gives the ASID away, and CD 0 still has it",
    ),
    Expected(
        params={"attach": "A1", "dma": "off"},
        verdict="violated",
        oracle=TABLES,
        why="the window is there although nobody looks through it",
    ),
    Expected(
        params={"attach": "A1", "dma": "off", "speculation": 1},
        verdict="violated",
        oracle=TABLES,
        why="nor need M do anything: the SMMU may translate for it, and S then hits what that left in the TLB",
    ),
    Expected(
        params={"attach": "A1", "tlbi": "on"},
        verdict="violated",
        oracle=TABLES,
        why="a flush at the end of detach does not close the window before it",
    ),
    Expected(
        params={"attach": "A1", "case": "2", "cmdq": "each"},
        verdict="holds",
        why="the master has no STE when it enters the new domain's list, and the CD is written under the lock",
    ),
    Expected(
        params={"attach": "A1", "btm": "off", "cmdq": "each"},
        verdict="holds",
        why="a process gets an ASID of its own, so no domain's is given away",
    ),
    Expected(
        params={"attach": "A0"},
        verdict="violated",
        oracle=TABLES,
        why="the domain's CD is rewritten, but a master that left its list is not told and keeps it cached",
    ),
    Expected(
        params={"attach": "A0", "dma": "off"},
        verdict="violated",
        oracle=TABLES,
        why="what a cache may hold counts, whether an access uses it or not",
    ),
    Expected(
        params={"attach": "A0", "case": "2"},
        verdict="holds",
        why="nothing leads to the new domain's CD table before the master is on its list",
    ),
    Expected(
        params={"attach": "A2"},
        verdict="holds",
        why="share_asid waits for arm_smmu_asid_lock until list, STE and CD agree",
    ),
    Expected(params={"attach": "A2", "case": "2"}, verdict="holds", why="the same lock covers entering a domain"),
    Expected(params={"attach": "A2", "tlbi": "on"}, verdict="holds", why="the flush is not what makes it safe"),
    Expected(
        params={"attach": "A2", "cmdq": "each"},
        verdict="holds",
        why="nor do the waits behind what the other thread has issued: they only take schedules away",
    ),
    Expected(
        params={"attach": "A2", "accesses": 2, "cmdq": "each"},
        verdict="holds",
        why="one access can fill what the next one uses",
    ),
    Expected(
        params={"attach": "A2", "dma": "off"},
        verdict="holds",
        why="two orders of the lock, and those of what both issue, are all there is",
    ),
    Expected(
        params={"attach": "A2", "dma": "off", "speculation": 1},
        verdict="holds",
        why="whatever the SMMU fetches on its own, it finds no two CDs with the ASID",
    ),
    Expected(
        params={"attach": "A3", "dma": "off", "speculation": 2},
        verdict="holds",
        why="the same without any moment in which M has no STE",
    ),
    Expected(params={"attach": "A2", "btm": "off"}, verdict="holds", why="share_asid does not run"),
    Expected(
        params={"attach": "A3"},
        verdict="holds",
        why="the master is on both lists for a while, but share_asid cannot look at them then",
    ),
    Expected(
        params={"attach": "A3", "accesses": 3}, verdict="holds", why="however often the master looks while it moves"
    ),
    Expected(params={"attach": "A3", "case": "2"}, verdict="holds", why="the same, seen from the new domain"),
    Expected(params={"attach": "A4"}, verdict="holds", why="share_asid is gone: no ASID changes hands while in use"),
    Expected(params={"attach": "A4", "case": "2"}, verdict="holds", why="the same, seen from the new domain"),
    Expected(
        params={"attach": "A2-identity"},
        verdict="holds",
        why="CD 0 stays reachable while PASIDs are in use, but is cleared before share_asid can run",
    ),
    Expected(
        params={"attach": "A3", "btm": "no-tlbi"},
        verdict="violated",
        oracle=PAGE,
        why="each CD is right at any time, and the process finds what the domain has left in the TLB under its ASID",
    ),
    Expected(
        params={"attach": "A2-late-clear"},
        verdict="violated",
        oracle=TABLES,
        why="CD 0 is cleared after the lock is gone: safe in 7.1 only because nobody shares ASIDs there",
    ),
    Expected(
        params={"attach": "A2-late-clear", "btm": "off"},
        verdict="holds",
        why="what 7.1 does: the order does not matter without share_asid",
    ),
)
