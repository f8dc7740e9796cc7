"""What a walk through page tables comes to, whichever architecture made them."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import PhysAddr


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A page that a walk found, with the rights that an unprivileged access has."""

    page: PhysAddr
    readable: bool
    writable: bool
    clean: bool = False
    """Hardware would make it writable: a write has to walk again."""
