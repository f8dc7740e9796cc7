"""The smallest set of numbers that has one in common with each of many sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from actors.runtime.runs.causality import bits

_LARGEST = 6
"""Larger sets are not searched for; then one is made step by step, from which nothing can be left out."""
_MOST = 2_000
"""Of more smallest sets than this the rest is not looked at."""


def smallest_hitting_set(
    masks: Sequence[int], size: int, cost: Callable[[Sequence[int]], tuple[int, ...]] = lambda _: ()
) -> list[int]:
    """The numbers (below `size`) of a smallest set that meets each of `masks`; of several the cheapest, then first."""
    needed = _minimal(masks)
    for most in range(_LARGEST + 1):
        found = sorted({tuple(sorted(one)) for one in islice(_search(needed, most), _MOST)})
        if found:
            cheapest = min(found, key=cost)
            return list(cheapest)
    return _greedy(needed, size)


def _minimal(masks: Sequence[int]) -> list[int]:
    """Without those that contain another one."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda mask: (mask.bit_count(), mask)):
        if not any(mask & one == one for one in kept):
            kept.append(mask)
    return kept


def _search(needed: list[int], most: int) -> Iterator[list[int]]:
    """The sets of up to `most` numbers that meet all of `needed`; some of them more than once."""
    if not needed:
        yield []
    elif most:
        for bit in bits(needed[0]):
            for rest in _search([mask for mask in needed if not mask & bit], most - 1):
                yield [bit.bit_length() - 1, *rest]


def _greedy(needed: list[int], size: int) -> list[int]:
    chosen: list[int] = []
    left = needed
    while left:
        best = max(range(size), key=lambda number: sum(mask >> number & 1 for mask in left))
        chosen.append(best)
        left = [mask for mask in left if not mask >> best & 1]
    for number in list(chosen):
        others = sum(1 << other for other in chosen if other != number)
        if all(mask & others for mask in needed):
            chosen.remove(number)
    return sorted(chosen)
