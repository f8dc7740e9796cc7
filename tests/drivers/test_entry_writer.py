"""The entry writer as a pure function: a table of transitions, and what holds for any two entries."""

from __future__ import annotations

import doctest
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stopmarker
from drivers.smmuv3 import entry_writer
from drivers.smmuv3.entry_writer import (
    CD,
    NOTHING,
    STE,
    WAIT,
    WRITERS,
    EntryKind,
    Operation,
    Store,
    Wait,
    plan_update,
)
from hw.bus import Asid, PhysAddr
from hw.smmuv3 import cd, ste
from hw.smmuv3.entry import Qwords
from hw.smmuv3.ste import AtsMode, DefaultSubstream

TABLE, OTHER_TABLE = PhysAddr(0x12340), PhysAddr(0x40_0000_0000)


def cdtable(
    table: PhysAddr = TABLE, s1dss: DefaultSubstream = DefaultSubstream.SSID0, eats: AtsMode = AtsMode.FULL
) -> Qwords:
    return ste.cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=s1dss, eats=eats)


def stage2(table: int, **fields: int) -> Qwords:
    return ste.encode(V=1, Config=6, S2TTB=table >> 4, S2VMID=1, S2AA64=1, S2R=1, SHCFG=1, **fields)


def nested(**fields: int) -> Qwords:
    return ste.encode(
        V=1, Config=7, S1ContextPtr=TABLE >> 6, S1CDMax=1, S2TTB=0x500, S2VMID=1, S2AA64=1, S2R=1, **fields
    )


ABORT, BYPASS = ste.abort_ste(), ste.bypass_ste()
S1DSS_BYPASS = cdtable(s1dss=DefaultSubstream.BYPASS)
SVA = cd.sva_cd(asid=Asid(5), ttb0=PhysAddr(0x5000))
QUIET = cd.quiet_cd(asid=Asid(5))
RENAMED = cd.sva_cd(asid=Asid(6), ttb0=PhysAddr(0x5000))
OTHER = cd.sva_cd(asid=Asid(6), ttb0=PhysAddr(0x6000))
EMPTY = cd.empty_cd()

TRANSITIONS = [
    # kind, old, new, stores, waits, V stays 1
    (STE, ABORT, BYPASS, 2, 2, True),
    (STE, BYPASS, ABORT, 2, 2, True),
    (STE, ABORT, cdtable(), 2, 2, True),
    (STE, cdtable(), ABORT, 2, 2, True),
    (STE, cdtable(), BYPASS, 3, 3, True),
    (STE, BYPASS, cdtable(), 3, 3, True),
    (STE, cdtable(), S1DSS_BYPASS, 1, 1, True),
    (STE, S1DSS_BYPASS, cdtable(), 1, 1, True),
    (STE, S1DSS_BYPASS, BYPASS, 2, 2, True),
    (STE, BYPASS, S1DSS_BYPASS, 2, 2, True),
    (STE, cdtable(), cdtable(eats=AtsMode.REFUSED), 1, 1, True),
    (STE, cdtable(), cdtable(OTHER_TABLE), 1, 1, True),
    (STE, cdtable(), cdtable(OTHER_TABLE, eats=AtsMode.REFUSED), 2, 2, True),
    (STE, cdtable(), cdtable(OTHER_TABLE, DefaultSubstream.BYPASS), 3, 3, False),
    (STE, ABORT, stage2(0x1000), 4, 2, True),
    (STE, stage2(0x1000), ABORT, 4, 2, True),
    (STE, stage2(0x1000), BYPASS, 3, 2, True),
    (STE, cdtable(), stage2(0x1000), 5, 3, False),
    (STE, stage2(0x1000), cdtable(), 5, 3, False),
    (STE, nested(MEV=1, EATS=1), nested(MEV=0, EATS=0, S2PTW=1), 2, 2, True),
    (STE, nested(EATS=2), nested(EATS=1, S2PTW=1), 4, 3, False),
    (STE, stage2(0x1000, EATS=1, S2S=1), stage2(0x1000, S2S=1, S2PTW=1), 4, 3, False),
    (STE, NOTHING, cdtable(), 2, 2, False),
    (STE, cdtable(), NOTHING, 2, 2, False),
    (CD, EMPTY, SVA, 3, 2, False),
    (CD, SVA, EMPTY, 3, 2, False),
    (CD, SVA, QUIET, 2, 2, True),
    (CD, QUIET, SVA, 2, 2, True),
    (CD, SVA, RENAMED, 1, 1, True),
    (CD, SVA, OTHER, 3, 3, False),
    (CD, QUIET, EMPTY, 2, 2, False),
    (CD, SVA, SVA, 0, 0, True),
]


def states(old: Qwords, operations: tuple[Operation, ...]) -> list[Qwords]:
    """The entry in memory, before and after each store."""
    live, found = list(old), [old]
    for operation in operations:
        if isinstance(operation, Store):
            live[operation.qword] = operation.value
            found.append(tuple(live))
    return found


def valid(kind: EntryKind, words: Qwords) -> bool:
    return bool(words[0] & (ste.V.mask if kind is STE else cd.V.mask))


@pytest.mark.parametrize(("kind", "old", "new", "stores", "waits", "hitless"), TRANSITIONS)
def test_the_table_of_transitions(
    kind: EntryKind, old: Qwords, new: Qwords, stores: int, waits: int, hitless: bool
) -> None:
    operations = plan_update(old, new, kind)
    assert (len(operations) - operations.count(WAIT), operations.count(WAIT)) == (stores, waits)
    assert all(valid(kind, words) for words in states(old, operations)) is hitless


def test_the_sequence_of_one_transition_in_full() -> None:
    assert plan_update(cdtable(), BYPASS, STE) == (
        Store(1, cdtable()[1] | ste.SHCFG.put(0, 1)),
        WAIT,
        Store(0, BYPASS[0]),
        WAIT,
        Store(1, BYPASS[1]),
        WAIT,
    )
    assert plan_update(SVA, OTHER, CD) == (
        Store(0, 0),
        WAIT,
        Store(1, 0x6000),
        WAIT,
        Store(0, OTHER[0]),
        WAIT,
    )


@pytest.mark.parametrize(
    ("writer", "kind", "old", "new", "stores", "waits"),
    [
        ("old", STE, cdtable(), S1DSS_BYPASS, 3, 2),
        ("old", STE, NOTHING, cdtable(), 2, 1),
        ("old", CD, SVA, QUIET, 3, 2),
        ("split", STE, ABORT, cdtable(OTHER_TABLE), 3, 2),
        ("split", CD, SVA, OTHER, 5, 3),
        ("pre-MEV-safe", STE, cdtable(), cdtable(OTHER_TABLE, eats=AtsMode.REFUSED), 3, 3),
        ("pre-MEV-safe", STE, nested(MEV=1), nested(S2PTW=1), 4, 3),
        ("no-wait", CD, SVA, OTHER, 3, 1),
    ],
)
def test_the_variants_differ_where_they_should(
    writer: str, kind: EntryKind, old: Qwords, new: Qwords, stores: int, waits: int
) -> None:
    operations = plan_update(old, new, kind, writer)
    assert (len(operations) - operations.count(WAIT), operations.count(WAIT)) == (stores, waits)
    assert states(old, operations)[-1] == new


def test_the_example_in_the_docstring_and_the_public_face() -> None:
    assert doctest.testmod(entry_writer) == (0, 5)
    assert stopmarker.plan_update is plan_update
    assert (stopmarker.STE, stopmarker.CD, stopmarker.Store, stopmarker.Wait) == (STE, CD, Store, Wait)


@pytest.mark.parametrize(
    ("current", "target", "writer", "message"),
    [
        ((0,) * 7, ABORT, "6.9", r"an update of STE \(0, 0, 0, 0, 0, 0, 0\): an entry is 8 words of 64 bits"),
        (ABORT, (*ABORT[:7], 1 << 64), "6.9", "an entry is 8 words of 64 bits"),
        (ABORT, (-1, *ABORT[1:]), "6.9", "an entry is 8 words of 64 bits"),
        (ABORT, ABORT, "7.0", "writer '7.0': the writers are 6.9, old, split, pre-MEV-safe, no-wait"),
    ],
)
def test_what_is_no_entry_and_no_writer_is_refused(current: Qwords, target: Qwords, writer: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_update(current, target, STE, writer)


def entries(layout: list[int], valid_bit: int, configs: tuple[int, ...]) -> st.SearchStrategy[Qwords]:
    """Words in which only named fields are set; few values each, so that two entries often agree in some."""
    word = st.sampled_from((0, 2**64 - 1, 0x5555_5555_5555_5555, 0xF0F0_F0F0_0F0F_0F0F)) | st.integers(0, 2**64 - 1)
    drawn = st.tuples(*(word.map(lambda bits, mask=mask: bits & mask) for mask in layout))  # type: ignore[misc]
    head = st.tuples(st.booleans(), st.sampled_from(configs))

    def put(pair: tuple[tuple[int, ...], tuple[bool, int]]) -> Qwords:
        words, (is_valid, config) = pair
        q0 = (words[0] & ~valid_bit) | (valid_bit if is_valid else 0)
        return (ste.Config.put(q0, config) if len(configs) > 1 else q0, *words[1:])

    return st.tuples(drawn, head).map(put)


STES = entries([sum(field.mask for field in table.values()) for table in ste.LAYOUT], ste.V.mask, (0, 4, 5, 6, 7))
CDS = entries([sum(field.mask for field in table.values()) for table in cd.LAYOUT], cd.V.mask, (0,))
CHANGES = st.one_of(st.tuples(st.just(STE), STES, STES), st.tuples(st.just(CD), CDS, CDS))


@given(CHANGES, st.sampled_from(sorted(WRITERS)))
def test_memory_ends_as_the_target_whoever_writes(change: tuple[EntryKind, Qwords, Qwords], writer: str) -> None:
    kind, old, new = change
    assert states(old, plan_update(old, new, kind, writer))[-1] == new


def mixes(old: Qwords, operations: tuple[Operation, ...]) -> list[Qwords]:
    """All that a fetch can put together: each word from before or after the stores since the last wait."""
    found, live = [], old
    phase: list[Qwords] = [old]
    for operation in (*operations, WAIT):
        if isinstance(operation, Store):
            live = (*live[: operation.qword], operation.value, *live[operation.qword + 1 :])
            phase.append(live)
            continue
        found += list(product(*({words[place]: None for words in phase} for place in range(len(old)))))
        phase = [live]
    return found


def alike(kind: EntryKind, mix: Qwords, entry: Qwords, safe: Qwords) -> bool:
    """Whether hardware cannot tell the two apart, but for bits that may change at any time."""
    used = kind.used(entry)
    return all(not (a ^ b) & mask & ~early for a, b, mask, early in zip(mix, entry, used, safe, strict=True))


@given(CHANGES)
def test_no_fetch_finds_a_valid_mix_of_two_entries(change: tuple[EntryKind, Qwords, Qwords]) -> None:
    kind, old, new = change
    safe = kind.safe(old, new)
    for mix in mixes(old, plan_update(old, new, kind)):
        assert not valid(kind, mix) or alike(kind, mix, old, safe) or alike(kind, mix, new, safe)


@given(CHANGES)
def test_v_is_never_cleared_where_one_word_decides(change: tuple[EntryKind, Qwords, Qwords]) -> None:
    kind, old, new = change
    seen = states(old, plan_update(old, new, kind))
    if not (valid(kind, old) and valid(kind, new)):
        return
    _, differing = WRITERS["6.9"]().prepared(old, new, kind)
    assert all(valid(kind, words) for words in seen) == (len(differing) < 2)


@pytest.mark.parametrize("writer", ["split", "no-wait"])
def test_the_broken_writers_do_leave_a_valid_mix(writer: str) -> None:
    old, new = ABORT, cdtable(OTHER_TABLE)
    found = mixes(old, plan_update(old, new, STE, writer))
    assert any(
        valid(STE, mix) and not alike(STE, mix, old, NOTHING) and not alike(STE, mix, new, NOTHING) for mix in found
    )
