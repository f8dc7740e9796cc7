"""Names and what they stand for: of a module, a class or an instance, as something that can be put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class ClassValues:
    """The attributes of a class, as a mapping that can be written."""

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self.values_now = vars(kind)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self.values_now.keys()

    def __getitem__(self, name: str) -> Any:
        return self.values_now[name]

    def __setitem__(self, name: str, value: Any) -> None:
        type.__setattr__(self._kind, name, value)

    def __delitem__(self, name: str) -> None:
        type.__delattr__(self._kind, name)


class Namespace:
    """Puts names back that were bound to something else, added or deleted."""

    def __init__(self, values: Any, saved: dict[str, Any]) -> None:
        self.now: Mapping[str, Any] = values.values_now if isinstance(values, ClassValues) else values
        self.saved = saved
        self._values = values

    def renew(self, name: str, value: object) -> None:
        """Bind a name to something new, from now on."""
        self.saved[name] = self._values[name] = value

    def put(self) -> None:
        """Only what differs is written."""
        missing = object()
        now = dict(self.now)
        for name in [name for name in now if name not in self.saved]:
            del self._values[name]
        for name, value in self.saved.items():
            if now.get(name, missing) is not value:
                self._values[name] = value
