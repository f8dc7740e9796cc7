"""What people call the things that steps touch: memory words by the names that loads and stores give them."""

from __future__ import annotations

from collections.abc import Mapping

from actors.runtime.primitives.step import Resource
from actors.runtime.runs.record import Record

_VERBS = ("load", "store", "rmw")


def word_names(run: Record) -> dict[int, str]:
    """The memory words that the steps of a run touched: address, and the name that the world gave it, or else a load or
    store, or hex."""
    given = run.world.session.words
    names: dict[int, str] = {}
    for step in run.steps:
        for resource in run.world.session.resources.names(step.reads | step.writes):
            if isinstance(resource, tuple) and len(resource) == 2 and resource[0] == "word":
                verb, _, name = step.what.partition(" ")
                known = names.setdefault(resource[1], given.get(resource[1]) or hex(resource[1]))
                if verb in _VERBS and known.startswith("0x"):
                    names[resource[1]] = name.partition(" = ")[0].partition(" at ")[0]
    return names


def resource_name(resource: Resource, words: Mapping[int, str]) -> str:
    """A resource as people say it."""
    match resource:
        case ("word", int(address)):
            name = words.get(address, hex(address))
            return f"word {name}" if name == hex(address) else f"word {name} ({address:#x})"
        case ("port", name, "head" | "tail" as end):
            return f"the {end} of queue {name}"
        case ("port", name, int(number)):
            return f"message {number} of queue {name}"
        case ("lock" | "rwlock" as kind, name, *_):
            return f"{kind} {name}"
        case tuple(parts):
            return " ".join(str(part) for part in parts)
    return str(resource)
