"""Replay is proven by values; what diverges is named with its step, both offers, and a likely cause."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tools.own_files.trust import source_of
from tools.terminal.exits import Diverged, Exit, Refusal
from tools.traces.container import decode, encode
from tools.traces.replay import State, Waiting, replay_recipe, replay_trace, state_at
from tools.traces.store import save
from tools.traces.trace import Trace, fingerprint

from .runs import run, violating
from .test_cli import call

ENDINGS = [("ending", {"way": way}) for way in ("quiet", "deadlock", "error", "stillborn", "bound")]
SCRIPT = """
import os
from stopmarker import Cpu, World, scenario

@scenario()
def mine(world: World) -> None:
    @world.actor
    async def first(cpu: Cpu) -> None:
        await cpu.note("first")
        await cpu.note("more")

    @world.actor
    async def second(cpu: Cpu) -> None:
        await cpu.note("second")
"""


@pytest.mark.parametrize(("name", "params"), [("unbinding", {}), ("crowd", {"lanes": 3}), *ENDINGS])
@pytest.mark.parametrize("seed", range(6))
def test_every_kind_of_run_replays_to_the_same_bytes(name: str, params: dict[str, str], seed: int) -> None:
    then = run(name, seed, **params)
    assert encode(replay_trace(then)) == encode(then)
    assert encode(replay_recipe(then.recipe)) == encode(then)


def test_a_trace_of_another_version_replays_to_its_own_bytes() -> None:
    then = dataclasses.replace(violating("unbinding"), stopmarker="0.0.1")
    assert encode(replay_trace(then)) == encode(then)


def recorded(folder: Path, text: str) -> Trace:
    (folder / "mine.py").write_text(text)
    from_file = f"{folder}/mine.py::mine"
    return run(from_file, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('note("first")', 'note("other")', r"at step \d: then first took `note first = 0`, offered .*; now first took"),
        ('note("more")', 'receive(world.port("p"))', "at step .*; now "),
        ('        await cpu.note("more")\n', "", "at step 1: .*, offered first, second; now .*, offered second"),
        ('"more")', '"more")\n        await cpu.note("x")', "at step 3: then the run was over; now first took"),
        ('note("first")', 'access("note first = 0")', "in its event: then 'first = 0'; now "),
        ('("second")', '("second")\n        raise ValueError("x")', "at step 2: .*; now the run is over: ValueError"),
        ('"more")', '"more")\n        raise ValueError("x")', "in the verdict: then quiet; now ValueError"),
    ],
)
def test_a_changed_scenario_diverges_and_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    then = recorded(tmp_path, SCRIPT)
    (tmp_path / "mine.py").write_text(SCRIPT.replace(old, new))
    with pytest.raises(Diverged, match=message) as diverged:
        replay_trace(then)
    assert "was changed after the recording" in str(diverged.value)


def test_a_scenario_that_is_not_deterministic_is_told_from_a_changed_one(tmp_path: Path) -> None:
    number = "setattr(json, 'n', getattr(json, 'n', 0) + 1) or json.n"
    text = SCRIPT.replace("import os", "import json").replace('"first")', f'"first", {number})')
    then = recorded(tmp_path, text)
    cause = (
        r"Likely cause: the scenario is not deterministic: two replays in a row differ at step 0: first takes "
        r"`note first = \d`, and in the other first takes `note first = \d`; "
    )
    with pytest.raises(Diverged, match=cause):
        replay_trace(then)


def test_another_version_is_the_likely_cause() -> None:
    then = dataclasses.replace(violating("unbinding"), stopmarker="0.0.1", outcome="quiet", finding=None)
    with pytest.raises(Diverged, match=r"in the verdict: .* Likely cause: stopmarker 0\.0\.1 recorded it"):
        replay_trace(then)


def test_a_recording_with_another_offer_names_both() -> None:
    then = violating("unbinding")
    first = then.steps[0]
    offered = tuple(number for number in range(3) if number != 1 or number == first.actor)
    other = dataclasses.replace(
        first, offered=(first.actor,), fingerprint=fingerprint((first.actor,), first.actor, 0, 0)
    )
    assert first.offered == offered
    with pytest.raises(
        Diverged, match=r"at step 0: then driver took .*, offered driver; now .*, offered device, driver"
    ):
        replay_trace(dataclasses.replace(then, steps=(other, *then.steps[1:])))


def test_choices_that_do_not_fit_diverge() -> None:
    then = violating("unbinding")
    recipe = dataclasses.replace(then.recipe, schedule=(*then.schedule, 0))
    with pytest.raises(Diverged, match="the run ended after"):
        replay_recipe(recipe)
    with pytest.raises(Diverged, match="takes actor 9, offered now"):
        replay_recipe(dataclasses.replace(then.recipe, schedule=(9,)))
    with pytest.raises(Diverged, match="the recording ends after 0 choices"):
        state_at(dataclasses.replace(then.recipe, schedule=()), 0)


def test_the_state_before_a_step() -> None:
    state = state_at(violating("unbinding").recipe, 2)
    assert state == State(
        step=2,
        steps=5,
        actors=(
            Waiting(name="device", status="enabled", what="send Told to link"),
            Waiting(name="smmu.priq", status="waits", what="a message from link"),
            Waiting(name="driver", status="finished", what=""),
        ),
        events=(
            "0 driver: CD[1] = mm B",
            "1 driver: free PASID 1 (gen1 -> gen2), a label too long for either side",
        ),
        words=((4096, "bind", 2),),
    )


@pytest.mark.parametrize("step", range(6))
def test_the_state_is_known_before_every_step_and_at_the_end(step: int) -> None:
    assert state_at(violating("unbinding").recipe, step).step == step


def test_a_step_beyond_the_end_is_refused() -> None:
    with pytest.raises(Refusal, match=r"step 6: the run has 5 steps, allowed are 0\.\.5"):
        state_at(violating("unbinding").recipe, 6)


def test_a_changed_file_is_named_as_the_cause_or_warned_of(tmp_path: Path) -> None:
    then = recorded(tmp_path, SCRIPT)
    assert len(then.source) == 64
    path, file = save(then, tmp_path / "traces"), tmp_path / "mine.py"
    assert call("replay", str(path)).stderr == ""
    file.write_text(SCRIPT + "# the same run\n")
    same = call("replay", str(path), "--trust")
    assert same.exit_code == 0
    assert f"{file}, or a module beside it, was changed after the recording; the run is the same" in same.stderr
    file.write_text(SCRIPT.replace('"more"', '"less"'))
    other = call("replay", str(path), "--trust")
    assert other.exit_code == Exit.DIVERGED
    assert f"Likely cause: {file}, or a module beside it, was changed after the recording" in other.stderr


def test_a_trace_without_a_digest_replays_and_keeps_its_bytes(tmp_path: Path) -> None:
    then = dataclasses.replace(recorded(tmp_path, SCRIPT), source="")
    assert decode(encode(then)) == then
    path = save(then, tmp_path / "traces")
    (tmp_path / "mine.py").write_text(SCRIPT + "# nobody can tell\n")
    old = call("replay", str(path), "--trust")
    assert (old.exit_code, old.stderr) == (0, "")
    assert "identical to the recording, byte for byte" in old.stdout


def test_a_shipped_scenario_has_no_file_of_its_own() -> None:
    assert source_of("unbind-window") == ""
