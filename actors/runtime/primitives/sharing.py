"""What the steps of a user's file share in Python's own objects and variables, which no step declares.

While a run goes on, what the code of an actor looks at between two steps belongs to the first of them. If two actors
come to one object, one of them changes it, and nothing that they declare puts the two steps in an order, the object
becomes a resource like any other (`actors.runtime.runs.unordered`): from then on each step announces that it uses it,
as far as any run has shown, and the search begins anew. A search is over when no run shows anything more. Then all
that steps share is ordered in each of its runs by what they announced, so other orders of the same class are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from .audit import FootprintError
from .looks import Key, Looks, Scope, here
from .session import Session
from .snapshots import below, captured
from .stage import Stage
from .step import Step

Use = tuple[str, str, str, bool]
"""The name of an actor, what its step does, a name of what Python holds, and whether the step changes it."""
SOMETHING: Use = ("", "", "", False)
"""That there is something, whatever it is."""
_EVERYTHING = ("python", "everything")
Shared = tuple[Use, ...]
"""All that a search knows to be shared; the same in every process."""


def everything(why: str) -> Use:
    """That each step counts as dependent on each other one, as something of the file is not looked into."""
    return ("", "", why, True)


def unknown_of(shared: Iterable[Use]) -> str:
    """What is not looked into; empty if there is no such thing."""
    return next((name for actor, what, name, changes in shared if changes and not actor and not what), "")


def names_of(shared: Iterable[Use]) -> list[str]:
    """The names of what is shared."""
    return sorted({name for _, _, name, _ in shared} - {""})


class Looked(NamedTuple):
    """That the step of an actor looked at something, and whether it was changed then."""

    step: int
    actor: int
    what: str
    """What the step does, as it was announced: what became of it may have another name."""
    key: Key
    thing: Any
    """The object, or the scope of the variable: held, so that no other has its identity in this run."""
    changed: bool


class Condition:
    """A condition of a step, which notes what it looks at; equal to another one of the same condition.

    Of memory it may look only at what the step declares, as in an audit.
    """

    __slots__ = ("_session", "_step", "looked_at", "ready")

    def __init__(self, ready: Callable[[], bool], step: Step, session: Session) -> None:
        self.ready = ready
        self._step = step
        self._session = session
        self.looked_at: list[tuple[Key, Any, bool]] = []

    def __call__(self) -> bool:
        """Ask the condition."""
        before, here.segment = here.segment, Looks()
        acting, self._session.performed = self._session.performed, self._step
        try:
            return self.ready()
        except FootprintError as error:
            here.refused = here.refused or error
            return False
        finally:
            self.looked_at = here.segment.looked_at()
            here.segment = before
            self._session.performed = acting

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.ready == other.ready

    __hash__ = None  # type: ignore[assignment]


class Sharing:
    """What is shared, as far as it is known, and what the run that goes on has shown."""

    def __init__(self, session: Session, shared: Shared = ()) -> None:
        self._session = session
        self.shared: set[Use] = set(shared)
        """Never gone through in its own order."""
        self.unknown = unknown_of(self.known)
        """What is not looked into: then all steps depend on each other, and nothing is noted."""
        self.looked: list[Looked] = []
        self._given: dict[int, tuple[Step, Step]] = {}
        """Of each actor the step that it announced, and what stands for it in the run."""
        self._names: dict[int, str] = {}
        self._kept: list[object] = []
        self._masks: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def known(self) -> Shared:
        """All uses, in an order that depends on nothing else."""
        return tuple(sorted(self.shared))

    def grow(self, uses: set[Use]) -> bool:
        """Take up further uses; whether there were any."""
        if uses <= self.shared:
            return False
        self.shared |= uses
        self.unknown = unknown_of(self.known)
        self._masks.clear()
        return True

    def begin(self, roots: Sequence[object]) -> None:
        """A run begins; from `roots`, its actors and properties, objects get the names they keep from world to world.

        That is left out until something is known to be shared: all that has one type then has one name.
        """
        self.looked = []
        here.everything = ""
        self._given.clear()
        self._names.clear()
        self._kept.clear()
        if self.shared and not self.unknown:
            for root in roots:
                self._name(root)

    def _name(self, root: object) -> None:
        for variable, value in _captured(root):
            for number, thing in enumerate(below(value, by_name=True)):
                if id(thing) not in self._names:
                    self._names[id(thing)] = variable if not number else f"{variable}.{number}"
                    self._kept.append(thing)
                    attributes = getattr(thing, "__dict__", None)
                    if type(attributes) is dict:
                        self._names.setdefault(id(attributes), f"{self._names[id(thing)]}.__dict__")

    def name_of(self, key: Key, thing: Any) -> str:
        """The name of what was looked at: equal for the same object in every run, and for few others."""
        number, variable = key
        if isinstance(thing, dict) and "__builtins__" in thing and "__file__" in thing:
            return "globals"
        if isinstance(thing, Scope):
            return f"{thing.name}.{variable}" if variable else "globals"
        return self._names.get(number) or f"a {type(thing).__qualname__} made meanwhile"

    def performed(self, stage: Stage, actor: int, segment: Looks | None, conditions: Step | None) -> None:
        """The code behind a step of `actor` has gone as far as the next one; without a segment nothing was noted."""
        found = segment.looked_at() if segment is not None else []
        if conditions is not None and isinstance(conditions.ready, Condition):
            found += [(key, thing, False) for key, thing, _ in conditions.ready.looked_at]
        steps = self._session.steps
        if not steps:
            return
        given, instead = self._given.get(actor, (None, None))
        if given is not None and steps[-1] is instead:
            # What it gave and took its actor says of the step that it announced, or of this one (`Session.became`).
            steps[-1].gives |= given.gives
            steps[-1].takes |= given.takes
        what = steps[-1].what if conditions is None else conditions.what
        self.looked += [Looked(len(steps) - 1, actor, what, *one) for one in found]
        reads, writes = self.masks(stage.names[actor], what)
        if reads & ~steps[-1].reads or writes & ~steps[-1].writes:
            steps[-1] = steps[-1].sharing(reads, writes, steps[-1].ready)

    def announced(self, actor: int, name: str, step: Step) -> Step:
        """The step that an actor announces, with what it is known to share."""
        reads, writes = self.masks(name, step.what)
        ready = step.ready
        if type(ready) is FunctionType:
            ready = Condition(ready, step, self._session)
        if ready is step.ready and not reads & ~step.reads and not writes & ~step.writes:
            return step
        instead = step.sharing(reads, writes, ready)
        self._given[actor] = step, instead
        return instead

    def masks(self, name: str, what: str) -> tuple[int, int]:
        """What the steps of that name of an actor are known to read and write."""
        if self.unknown:
            return 0, self._session.resources.mask(_EVERYTHING)
        if not self.shared:
            return 0, 0
        if not self._masks:
            for actor, step, resource, changes in self.known:
                reads, writes = self._masks.get((actor, step), (0, 0))
                bit = self._session.resources.mask(("python", resource))
                self._masks[actor, step] = (reads, writes | bit) if changes else (reads | bit, writes)
        return self._masks.get((name, what), (0, 0))


def properties(oracles: Sequence[object]) -> list[object]:
    """What a user gave as properties: functions, or objects of his own."""
    found: list[object] = []
    for oracle in oracles:
        given = [value for value in getattr(oracle, "__dict__", {}).values() if isinstance(value, FunctionType)]
        found += given or [oracle]
    return found


def _captured(root: object) -> list[tuple[str, object]]:
    """What a function, a method or an object refers to, by the names that the user gave it."""
    if isinstance(root, MethodType):
        return [("self", root.__self__), *_captured(root.__func__)]
    if not isinstance(root, FunctionType):
        return [(type(root).__name__, root)]
    names = [name for name in root.__code__.co_names if name in root.__globals__]
    return [*captured(root), *((name, root.__globals__[name]) for name in names)]
