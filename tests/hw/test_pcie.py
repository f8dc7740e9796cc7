"""Ordering on the link, the ATC's in-flight rule with its broken mutant, and page request groups."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.pcie import tlp
from hw.pcie.ats import Atc, AtcCachingLateCompletions, AtcEntry, AtcError, NoTranslation
from hw.pcie.pri import PageRequestInterface, PriError, Reaction
from hw.pcie.tlp import NO_PASID, Channel, CompletionStatus, ResponseCode, channel_of

SID = StreamId(1)
P1, P2 = Pasid(1), Pasid(2)
VA = VirtAddr(0x7000)


def dma(*, write: bool) -> tlp.Dma:
    """An untranslated access."""
    return tlp.Dma(sid=SID, pasid=P1, address=0, write=write, translated=False, tag=0, value=0)


MESSAGES: list[tuple[tlp.Tlp, Channel]] = [
    (tlp.TranslationRequest(sid=SID, pasid=P1, address=VA, write=False, tag=0), Channel.NON_POSTED),
    (dma(write=False), Channel.NON_POSTED),
    (dma(write=True), Channel.POSTED),
    (tlp.stop_marker(SID, P1), Channel.POSTED),
    (tlp.PrgResponse(sid=SID, pasid=P1, prgi=Prgi(0), code=ResponseCode.SUCCESS), Channel.POSTED),
    (tlp.InvalidateCompletion(sid=SID, itag=0), Channel.POSTED),
    (tlp.DmaCompletion(sid=SID, tag=0, ok=True), Channel.COMPLETION),
]


def test_what_is_no_message_of_pcie_has_no_channel() -> None:
    assert channel_of(Channel.POSTED) is None


def test_every_message_of_pcie_has_a_channel() -> None:
    assert {kind for kind in get_args(tlp.Tlp) if kind is not tlp.Dma} == set(tlp._CHANNELS)


@pytest.mark.parametrize(("message", "channel"), MESSAGES)
def test_channels_and_plain_fields(message: tlp.Tlp, channel: Channel) -> None:
    assert channel_of(message) is channel
    values = [getattr(message, field.name) for field in dataclasses.fields(message)]
    assert all(isinstance(value, int) for value in values), "fields are packed as plain integers"


def test_a_stop_marker_without_pasid_is_refused() -> None:
    assert tlp.stop_marker(SID, P1).is_stop_marker
    with pytest.raises(ValueError, match="without PASID"):
        tlp.stop_marker(SID, NO_PASID)


def success(tag: int, *, read: bool = True, write: bool = True) -> tlp.TranslationCompletion:
    """A completion that grants a page."""
    return tlp.TranslationCompletion(
        sid=SID, tag=tag, status=CompletionStatus.SUCCESS, page=PhysAddr(0x9000), read=read, write=write
    )


def invalidate(
    pasid: Pasid = P1, address: int = VA, pages: int = 1, *, everything: bool = False, itag: int = 0
) -> tlp.InvalidateRequest:
    """An Invalidate Request for one page of PASID 1."""
    return tlp.InvalidateRequest(
        sid=SID, pasid=pasid, address=VirtAddr(address), pages=pages, everything=everything, itag=itag
    )


def test_an_undisturbed_completion_is_cached() -> None:
    atc = Atc()
    atc.begin_request(0, P1, VirtAddr(VA + 5))
    assert atc.in_flight(P1) == 1
    entry = atc.complete(0, success(0, write=False))
    assert entry == AtcEntry(pasid=P1, virtual_page=VA, page=PhysAddr(0x9000), read=True, write=False)
    assert atc.lookup(P1, VirtAddr(VA + 0xFFF)) == entry
    assert atc.lookup(P2, VA) is None
    assert atc.in_flight(P1) == 0


def test_a_completion_after_the_invalidate_completion_is_dropped() -> None:
    atc = Atc()
    atc.begin_request(0, P1, VA)
    atc.invalidate(invalidate())
    atc.completion_sent(0)
    assert atc.complete(0, success(0)) is NoTranslation.STALE
    assert atc.entries() == ()


def test_a_completion_before_the_invalidate_completion_is_used_once() -> None:
    atc = Atc()
    atc.begin_request(0, P1, VA)
    atc.invalidate(invalidate())
    assert isinstance(atc.complete(0, success(0)), AtcEntry)
    assert atc.entries() == ()


def test_one_answered_invalidation_of_two_is_enough_to_drop() -> None:
    atc = Atc()
    atc.begin_request(0, P1, VA)
    atc.invalidate(invalidate(itag=1))
    atc.invalidate(invalidate(itag=2))
    atc.completion_sent(2)
    assert atc.complete(0, success(0)) is NoTranslation.STALE


def test_a_request_sent_after_the_invalidation_is_not_marked() -> None:
    atc = Atc()
    atc.invalidate(invalidate())
    atc.begin_request(0, P1, VA)
    atc.completion_sent(0)
    assert isinstance(atc.complete(0, success(0)), AtcEntry)
    assert len(atc.entries()) == 1


def test_the_broken_device_keeps_the_late_translation() -> None:
    atc = AtcCachingLateCompletions()
    atc.begin_request(0, P1, VA)
    atc.invalidate(invalidate())
    atc.completion_sent(0)
    assert isinstance(atc.complete(0, success(0)), AtcEntry)
    assert atc.lookup(P1, VA) is not None


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        (invalidate(), {(-1, 7), (1, 8), (2, 7)}),
        (invalidate(pages=2), {(-1, 7), (2, 7)}),
        (invalidate(everything=True, address=0), {(-1, 7), (2, 7)}),
        (invalidate(address=0x6000), {(-1, 7), (1, 7), (1, 8), (2, 7)}),
        (invalidate(NO_PASID, address=0x100000), {(-1, 7)}),
        (invalidate(NO_PASID), set()),
    ],
)
def test_what_an_invalidation_covers(request_: tlp.InvalidateRequest, left: set[tuple[int, int]]) -> None:
    atc = Atc(capacity=4)
    late = Atc(capacity=4)
    spaces = ((NO_PASID, 7), (P1, 7), (P1, 8), (P2, 7))
    for tag, (pasid, page) in enumerate(spaces):
        for each in (atc, late):
            each.begin_request(tag, pasid, VirtAddr(page << 12))
        atc.complete(tag, success(tag))
    atc.invalidate(request_)
    assert {(entry.pasid, entry.virtual_page >> 12) for entry in atc.entries()} == left
    # what is in flight is covered by the same rule
    late.invalidate(request_)
    late.completion_sent(request_.itag)
    kept = {spaces[tag] for tag in range(4) if isinstance(late.complete(tag, success(tag)), AtcEntry)}
    assert kept == left


def test_completions_that_grant_nothing() -> None:
    atc = Atc()
    atc.enable()
    for tag in range(3):
        atc.begin_request(tag, P1, VA)
    assert atc.complete(0, success(0, read=False, write=False)) is NoTranslation.HOLE
    assert atc.complete(1, dataclasses.replace(success(1), status=CompletionStatus.CA)) is NoTranslation.ABORTED
    assert atc.enabled
    ur = dataclasses.replace(success(2), status=CompletionStatus.UR)
    assert atc.complete(2, ur) is NoTranslation.UNSUPPORTED_REQUEST
    assert not atc.enabled
    assert atc.complete(2, success(2)) is NoTranslation.UNKNOWN_TAG
    assert atc.entries() == ()


def test_enabling_empties_and_disabling_does_not() -> None:
    atc = Atc()
    atc.enable()
    atc.begin_request(0, P1, VA)
    atc.complete(0, success(0))
    atc.begin_request(1, P1, VA)
    atc.disable()
    assert len(atc.entries()) == 1
    atc.enable()
    assert atc.entries() == ()
    assert atc.complete(1, success(1)) is NoTranslation.STALE


def test_flr_forgets_tags() -> None:
    atc = Atc()
    atc.begin_request(0, P1, VA)
    with pytest.raises(AtcError, match="in flight already"):
        atc.begin_request(0, P1, VA)
    atc.flush()
    assert atc.complete(0, success(0)) is NoTranslation.UNKNOWN_TAG


def test_capacity_and_stop() -> None:
    atc = Atc(capacity=2)
    for tag, pasid in enumerate((P1, P2, P1)):
        atc.begin_request(tag, pasid, VirtAddr(tag << 12))
        atc.complete(tag, success(tag))
    assert [(entry.pasid, entry.virtual_page >> 12) for entry in atc.entries()] == [(2, 1), (1, 2)]
    atc.stop_pasid(P1)
    assert [entry.pasid for entry in atc.entries()] == [2]


def new_pri(credits: int = 3) -> PageRequestInterface:
    """An enabled page request interface."""
    pri = PageRequestInterface(credits)
    pri.enable()
    return pri


def open_with(pri: PageRequestInterface, requests: int, pasid: Pasid = P1) -> Prgi:
    """A closed group of some requests."""
    prgi = pri.open_group(pasid)
    for number in range(requests):
        pri.send(prgi, last=number == requests - 1)
    return prgi


def test_credits_are_per_request_and_return_with_the_group() -> None:
    pri = new_pri()
    first, second = open_with(pri, 2), open_with(pri, 1)
    assert (first, second, pri.outstanding, pri.can_send) == (0, 1, 3, False)
    third = pri.open_group(P1)
    with pytest.raises(PriError, match="3 of 3 credits"):
        pri.send(third, last=True)
    assert pri.respond(first, ResponseCode.SUCCESS) is Reaction.RETRY
    assert pri.outstanding == 1
    assert pri.open_group(P1) == 0, "the lowest free PRGI is reused at once"
    assert pri.respond(second, ResponseCode.INVALID) is Reaction.ABORT
    assert pri.enabled


def test_a_response_nobody_waits_for() -> None:
    pri = new_pri()
    prgi = open_with(pri, 1)
    assert pri.respond(Prgi(9), ResponseCode.SUCCESS) is Reaction.UNEXPECTED
    assert pri.respond(prgi, ResponseCode.SUCCESS, P2) is Reaction.UNEXPECTED
    assert pri.unexpected_prgi
    assert pri.respond(prgi, ResponseCode.SUCCESS, P1) is Reaction.RETRY
    assert pri.respond(prgi, ResponseCode.SUCCESS) is Reaction.UNEXPECTED


def test_only_failure_may_come_before_last() -> None:
    pri = new_pri()
    prgi = pri.open_group(P1)
    pri.send(prgi, last=False)
    assert pri.respond(prgi, ResponseCode.SUCCESS) is Reaction.UNEXPECTED
    assert pri.outstanding == 1
    assert pri.respond(prgi, ResponseCode.FAILURE) is Reaction.DISABLED
    assert pri.outstanding == 0


@pytest.mark.parametrize("code", [ResponseCode.FAILURE, 2, 14])
def test_failure_and_reserved_codes_stop_the_interface(code: int) -> None:
    pri = new_pri()
    first, second = open_with(pri, 1), open_with(pri, 1)
    assert pri.respond(first, code) is Reaction.DISABLED
    assert (pri.response_failure, pri.enabled, pri.can_send, pri.stopped) == (True, False, False, False)
    assert pri.respond(second, ResponseCode.SUCCESS) is Reaction.DISABLED, "later responses are ignored"
    with pytest.raises(PriError, match="wait for Stopped"):
        pri.enable()
    pri.reset_pending()
    assert pri.stopped
    pri.enable()
    assert (pri.response_failure, pri.can_send, pri.outstanding) == (False, True, 0)


def test_stale_groups_only_give_credits_back() -> None:
    pri = new_pri()
    old, other = open_with(pri, 2), open_with(pri, 1, P2)
    assert pri.outstanding_of(P1) == 2
    pri.mark_stale(P1)
    assert (pri.outstanding_of(P1), pri.outstanding_of(P2), pri.outstanding) == (0, 1, 3)
    assert pri.respond(old, ResponseCode.SUCCESS) is Reaction.CREDIT_ONLY
    assert pri.respond(other, ResponseCode.SUCCESS) is Reaction.RETRY
    assert pri.outstanding == 0


def test_disable_lets_old_requests_live() -> None:
    pri = new_pri()
    prgi = open_with(pri, 1)
    with pytest.raises(PriError, match=r"Control\.Reset while PRI is enabled"):
        pri.reset_pending()
    pri.disable()
    assert not pri.stopped
    with pytest.raises(PriError, match="PRI is disabled"):
        pri.open_group(P1)
    assert pri.respond(prgi, ResponseCode.SUCCESS) is Reaction.RETRY
    assert pri.stopped


def test_flr_reuses_tags_and_a_late_answer_hits_the_newcomer() -> None:
    """Seed 001: the old answer to tag 0 completes the new tag 0, and the new answer is unexpected."""
    pri = new_pri()
    open_with(pri, 1)
    pri.reset()
    assert (pri.enabled, pri.outstanding) == (False, 0)
    pri.enable()
    assert open_with(pri, 1, P2) == 0
    assert pri.respond(Prgi(0), ResponseCode.SUCCESS) is Reaction.RETRY
    assert pri.respond(Prgi(0), ResponseCode.SUCCESS) is Reaction.UNEXPECTED


def test_misuse_is_refused() -> None:
    pri = PageRequestInterface(1, groups=1)
    pri.enable()
    prgi = open_with(pri, 1)
    with pytest.raises(PriError, match="which is closed"):
        pri.send(prgi, last=True)
    with pytest.raises(PriError, match="which is not open"):
        pri.send(Prgi(3), last=True)
    with pytest.raises(PriError, match="all 1 PRGIs"):
        pri.open_group(P1)


@given(st.lists(st.tuples(st.integers(1, 2), st.booleans()), max_size=30))
def test_credits_never_leak(actions: list[tuple[int, bool]]) -> None:
    pri = new_pri(4)
    waiting: dict[Prgi, int] = {}
    for requests, respond in actions:
        if respond and waiting:
            prgi = max(waiting)
            assert pri.respond(prgi, ResponseCode.SUCCESS) is Reaction.RETRY
            del waiting[prgi]
        elif pri.outstanding + requests <= pri.credits:
            waiting[open_with(pri, requests)] = requests
        assert pri.outstanding == sum(waiting.values())
