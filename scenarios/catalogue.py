"""The shipped scenarios, by name; a scenario is imported only when it is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from .scenario import Scenario, UnknownName

MODULES = {"unbind-window": "scenarios.unbind_window"}


def load(name: str) -> Scenario:
    """The scenario of that name; UnknownName with the nearest one otherwise."""
    if name not in MODULES:
        near = get_close_matches(name, MODULES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownName(f"no scenario {name!r}{hint} (shipped: {', '.join(MODULES)})")
    found: Scenario = getattr(import_module(MODULES[name]), name.replace("-", "_"))
    return found
