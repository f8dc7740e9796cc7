"""Compares the programs of some seeds, one after the other, and counts."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import trio

from actors.runtime.runners.controlled import Controlled, controlled

from .enumeration import Classes, Difference, Everything, TooMany, enumerate_all
from .generator import Draw
from .scenario import program
from .searched import differences, differences_within, proof_differences

PROOF_EVERY = 8
"""One program in so many is also given to a whole proof, with a bound and without."""


@dataclass(slots=True)
class Comparison:
    """What some programs came to; those with more interleavings than `most` are left out."""

    most: int
    verdicts: Counter[str] = field(default_factory=Counter)
    too_many: int = 0
    """Programs that were left out."""
    interleavings: int = 0
    classes: int = 0
    digest: int = 0
    """Of the texts of the programs, also of those left out."""
    found: list[str] = field(default_factory=list)
    """What differs, with the program."""
    _proofs: list[tuple[int, Everything, int]] = field(default_factory=list)

    def run(self, first: int, programs: int) -> None:
        """Compare so many programs from seed `first` on."""
        trio.run(self._search, first, programs)
        for seed, everything, bound in self._proofs:
            self._add(seed, proof_differences(seed, everything, None))
            self._add(seed, proof_differences(seed, everything, bound))
        self._proofs.clear()

    async def _search(self, first: int, programs: int) -> None:
        async with controlled() as driver:
            for seed in count(first):
                if self.verdicts.total() == programs:
                    break
                await self._compare(driver, seed)

    async def _compare(self, driver: Controlled, seed: int) -> None:
        made, classes = program(seed), Classes()
        self.digest = zlib.crc32(str(made).encode(), self.digest)
        try:
            everything = enumerate_all(made, classes, self.most)
        except TooMany:
            self.too_many += 1
            return
        except Difference as difference:
            self._add(seed, [str(difference)])
            return
        self.verdicts[everything.verdict] += 1
        self.interleavings += everything.runs
        self.classes += len(everything.ends)
        bound = 1 + Draw(seed).below(everything.longest + 2)
        self._add(seed, await differences(driver, made, everything, classes, seed))
        self._add(seed, await differences_within(driver, made, everything, classes, bound))
        if seed % PROOF_EVERY == 0:
            self._proofs.append((seed, everything, bound))

    def _add(self, seed: int, different: list[str]) -> None:
        self.found += [f"seed {seed}: {each}\n{program(seed)}" for each in different]
