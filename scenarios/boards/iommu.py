"""One IOMMU as scenarios know it: the board that has it, and what its driver offers to their experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .endpoint import Platform

Parts = Mapping[str, Any]
"""Keyword arguments of a board: what is put in the place of which of its parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A field of the hardware, and what the words that people choose from put there; the first is the default."""

    field: str
    values: Mapping[str, object]
    meaning: str

    @property
    def default(self) -> str:
        """The word that describes an IOMMU without the knob."""
        return next(iter(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Iommu:
    """What stands between device and memory, with all that a scenario would otherwise have to ask for by name."""

    name: str
    """As `-p iommu=` has it."""
    title: str
    """As people write it."""
    board: Callable[..., Platform]
    hardware: Callable[..., object]
    """What the board makes its hardware of, if it is not told otherwise."""
    variants: Mapping[str, Mapping[str, Parts]] = field(default_factory=dict)
    """By experiment, which is the name of a parameter, and by the words of that. Not every IOMMU takes part in each."""
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    """By the name of a parameter; `hardware` takes their fields by name."""


def each(part: str, kinds: Mapping[str, object]) -> dict[str, Parts]:
    """Variants that differ in one part of the board."""
    return {word: {part: kind} for word, kind in kinds.items()}
