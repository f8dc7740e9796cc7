"""When a function uses a PRGIndex again: at once, or only after it has gone round (vtd-pcie §1.6)."""

from __future__ import annotations

import pytest

from hw.bus import Pasid
from hw.pcie.pri import PageRequestInterface, PriError, TagKeepingPri
from hw.pcie.tlp import ResponseCode

P1 = Pasid(1)


def answered(pri: PageRequestInterface, count: int) -> list[int]:
    """The tags of so many groups, one after the other, each answered before the next."""
    tags = []
    for _ in range(count):
        prgi = pri.open_group(P1)
        pri.send(prgi, last=True)
        pri.respond(prgi, ResponseCode.SUCCESS)
        tags.append(int(prgi))
    return tags


@pytest.mark.parametrize(("kind", "before", "after"), [(PageRequestInterface, [0, 0], 0), (TagKeepingPri, [0, 1], 2)])
def test_a_reset_begins_anew_or_goes_on(kind: type[PageRequestInterface], before: list[int], after: int) -> None:
    pri = kind(1, 3)
    pri.enable()
    assert answered(pri, 2) == before
    pri.reset()
    pri.enable()
    assert pri.open_group(P1) == after


def test_who_keeps_counting_goes_round_and_leaves_out_what_is_open() -> None:
    pri = TagKeepingPri(3, 2)
    pri.enable()
    assert answered(pri, 3) == [0, 1, 0]
    assert [pri.open_group(P1), pri.open_group(P1)] == [1, 0]
    with pytest.raises(PriError, match="all 2 PRGIs are in use"):
        pri.open_group(P1)
