"""Managers of blocks that are not of a user's own text: what they do at the end of a block is looked at, too."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from .looks import deep
from .snapshots import OURS, USERS


def managed(manager: Any) -> Any:
    """What stands for a manager in a `with`; itself if its text notes what it looks at, or if it is no manager."""
    return manager if _is_noted(manager, "__exit__") else _Managed(manager)


def managed_async(manager: Any) -> Any:
    """The same in an `async with`."""
    return manager if _is_noted(manager, "__aexit__") else _ManagedAsync(manager)


def _is_noted(manager: Any, name: str) -> bool:
    leave = getattr(type(manager), name, None)
    if not isinstance(leave, FunctionType):
        return leave is None
    module = str(leave.__globals__.get("__name__"))
    return module.startswith(USERS) or module.partition(".")[0] in OURS


class _Managed:
    """Hands on to a manager, which is looked at when its block begins and when it ends, however it ends."""

    __slots__ = ("_manager",)

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        manager = deep(self._manager)
        return type(manager).__enter__(manager)

    def __exit__(self, *error: Any) -> Any:
        manager = deep(self._manager)
        return type(manager).__exit__(manager, *error)


class _ManagedAsync:
    """The same of an asynchronous one."""

    __slots__ = ("_manager",)

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> Any:
        manager = deep(self._manager)
        return await type(manager).__aenter__(manager)

    async def __aexit__(self, *error: Any) -> Any:
        manager = deep(self._manager)
        return await type(manager).__aexit__(manager, *error)
