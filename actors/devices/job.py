"""The work of a device: accesses to pages, each with its page request group, and with how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw.bus import Prgi, VirtAddr
from hw.pcie.pri import Reaction

NO_GROUP = Prgi(-1)


@dataclass(slots=True)
class Job:
    """One access to some pages: page request group, retry, DMA."""

    number: int
    pages: Sequence[VirtAddr]
    prgi: Prgi = NO_GROUP
    reaction: Reaction | None = None
    tries: int = 0
    open: bool = False


def jobs(requests: int, pages: Sequence[VirtAddr], group: int) -> list[Job]:
    """`requests` jobs of `group` neighbouring pages each."""
    return [Job(number, pages[number * group : (number + 1) * group]) for number in range(requests)]
