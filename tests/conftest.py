"""What all tests share: a state folder of their own, and that scenarios in C are skipped where C cannot be compiled."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from actors.c.compiler import why_not
from scenarios.catalogue import IN_C


@pytest.fixture(autouse=True, scope="session")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    del os.environ["XDG_STATE_HOME"]
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = why_not()
    for item in items if reason else ():
        given = getattr(item, "callspec", None)
        if given is not None and any(isinstance(value, str) and value in IN_C for value in given.params.values()):
            item.add_marker(pytest.mark.skip(reason=reason))
