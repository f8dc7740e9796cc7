"""The smallest set of numbers that has one in common with each of many sets."""

from __future__ import annotations

from collections.abc import Sequence

from .causality import bits

_LARGEST = 6
"""Larger sets are not searched for; then one is made step by step, from which nothing can be left out."""


def smallest_hitting_set(masks: Sequence[int], size: int) -> list[int]:
    """The numbers (below `size`) of a smallest set that meets each of `masks`; of several the first."""
    needed = _minimal(masks)
    for most in range(_LARGEST + 1):
        found = _search(needed, most)
        if found is not None:
            return sorted(found)
    return _greedy(needed, size)


def _minimal(masks: Sequence[int]) -> list[int]:
    """Without those that contain another one."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda mask: (mask.bit_count(), mask)):
        if not any(mask & one == one for one in kept):
            kept.append(mask)
    return kept


def _search(needed: list[int], most: int) -> list[int] | None:
    if not needed:
        return []
    if not most:
        return None
    for bit in bits(needed[0]):
        rest = _search([mask for mask in needed if not mask & bit], most - 1)
        if rest is not None:
            return [bit.bit_length() - 1, *rest]
    return None


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
