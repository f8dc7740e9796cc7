"""Parameters are declared once: the record, `-p` and `list` read the same declaration."""

from __future__ import annotations

from copy import copy
from dataclasses import FrozenInstanceError
from typing import assert_type

import pytest

from actors.runtime.world import Session, World
from hw.smmuv3.state import Smmu
from scenarios.boards.iommu import Iommu
from scenarios.boards.platform import IOMMUS, iommu_with, parts_of
from scenarios.boards.smmuv3 import smmuv3_platform
from scenarios.catalogue import MODULES, load
from scenarios.parameters import BadValue, Param, Parameters, number, one_of
from scenarios.scenario import scenario

WORDS = ("two-steps", "atomic")


class Users(Parameters):
    """Who there is."""

    users = number(2, 3, default=2, meaning="who drop their reference")
    put = one_of(*WORDS, default="two-steps", meaning="how a reference is dropped")

    @property
    def steps(self) -> int:
        return self.users * (1 if self.put == "atomic" else 2)


class Rounds(Users):
    """A record that has more, and says where what it inherits comes."""

    rounds = Param(default=4, allowed=(1, 4, 8), meaning="how often")
    put = Users.put


class Other(Parameters):
    """A record of its own with a parameter of another."""

    put = one_of("atomic", "never", default="never", meaning="another meaning")
    who = Users.users


class Both(Other, Users):
    """Two bases declare one name: the first base decides, as Python looks attributes up."""


class Settled(Rounds):
    """What is settled is no parameter any more."""

    rounds = 8


def test_a_class_has_declarations_and_a_record_has_values() -> None:
    given = Rounds(put="atomic")
    assert (given.rounds, given.users, given.put, given.steps) == (4, 2, "atomic", 2)
    assert_type(given.put, str)
    assert_type(given.rounds, int)
    assert_type(Rounds.rounds, Param[int])
    assert Rounds.rounds is Rounds.declared["rounds"]
    assert Other.who is Users.users
    assert repr(given) == "Rounds(users=2, rounds=4, put='atomic')"


def test_parameters_come_in_the_order_in_which_they_are_declared() -> None:
    assert list(Users.declared) == ["users", "put"]
    assert list(Rounds.declared) == ["users", "rounds", "put"]
    assert list(Both.declared) == ["put", "who", "users"]
    assert Both().put == "never"
    assert list(Settled.declared) == ["users", "put"]
    assert Settled().rounds == 8


def test_a_record_does_not_change() -> None:
    given = Users()
    with pytest.raises(FrozenInstanceError, match="cannot assign to 'put': parameters do not change"):
        given.put = "atomic"
    with pytest.raises(FrozenInstanceError, match="cannot delete 'put': parameters do not change"):
        del given.put
    assert given == Users() == copy(given) != Users(users=3)
    assert Users() != Rounds()


def test_a_record_takes_only_what_is_declared_and_allowed() -> None:
    with pytest.raises(TypeError, match=r"Users has no parameter 'rounds' \(it has: users, put\)"):
        Users(rounds=4)
    with pytest.raises(BadValue, match="parameter put='atomics': allowed are two-steps, atomic; did you mean 'atomic'"):
        Users(put="atomics")
    with pytest.raises(TypeError, match="class Bad: a parameter cannot have the name 'declared'"):
        type("Bad", (Parameters,), {"declared": Users.put})


def test_a_scenario_takes_one_record() -> None:
    made: list[Users] = []

    @scenario(Users, name="counted")
    def count(world: World, given: Users) -> None:
        """How many users there are."""
        made.append(given)

    count.world(Session(), count.complete({"users": "3"}))
    assert made == [Users(users=3)]
    assert count.params is Users.declared
    assert (count.name, count.summary) == ("counted", "How many users there are.")


@pytest.mark.parametrize("declared", [Users(), Users.put, Other.declared, print])
def test_what_is_no_class_of_parameters_is_refused(declared: object) -> None:
    with pytest.raises(TypeError, match="takes one class of Parameters, or each parameter by its name"):
        scenario(declared)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="takes one class of Parameters, or each parameter by its name"):
        scenario(Users, put=Users.put)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("c-")])
def test_what_list_says_of_a_shipped_scenario_is_what_its_record_declares(name: str) -> None:
    shipped = load(name)
    if shipped.record is not None:
        assert shipped.params is shipped.record.declared
        assert vars(shipped.record()) == shipped.complete({})


def test_a_third_iommu_is_a_name_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes part in the experiments that it offers words for, and in no other."""
    third = Iommu(name="third", title="Third", board=smmuv3_platform, hardware=Smmu, variants={"end": {"no-pd": {}}})
    monkeypatch.setitem(IOMMUS, "third", third)
    assert list(iommu_with().allowed) == ["smmuv3", "vtd", "third"]
    assert list(iommu_with("order").allowed) == ["smmuv3", "vtd"]
    assert parts_of("third", end="no-pd") == {}
    with pytest.raises(BadValue, match="end='no-pd': only VT-d and Third have that; with iommu=smmuv3 allowed are"):
        parts_of("smmuv3", end="no-pd")
