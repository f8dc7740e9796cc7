"""The file from which a proof is continued: its terms, what is left to search, what was seen, and a check of the code.

A proof that began with another model must not be continued with this one: what was searched then says nothing about
what is left now. So the file holds a digest of all source that decides what a run does.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgpack

from actors.runtime.primitives.events import Finding, Outcome
from actors.runtime.primitives.step import ByteAccess, Mark
from actors.runtime.runs.data_races import DataRace
from actors.runtime.runs.fingerprint import digest

from ..experiments.c_race import is_c
from ..experiments.experiment import SEPARATOR
from ..experiments.terms import Terms
from ..explore.dpor.share import Share
from ..explore.search import FoundRace, FoundSignature, Report
from ..own_files.own_file import load, sources_of
from ..own_files.regular import read_regular
from ..terminal.exits import Refusal
from ..traces.store import write_bytes

MAGIC = b"stopmarker-proof\n"
VERSION = 6
MAX_FILE = 64 << 20
_HEAD = struct.Struct(">HI")
_MODELS = ("hw", "drivers", "actors", "scenarios", "tools/explore")
_ROOT = Path(__file__).parents[2]


class Checkpoint(NamedTuple):
    """What a file says."""

    terms: Terms
    share: Share
    report: Report
    world: bytes
    """A digest of the world as it was built; empty if nothing but the code decides that."""


def write(path: Path, terms: Terms, left: Sequence[object], report: Report, code: bytes, world: bytes) -> None:
    """Write the file whole or not at all; Refusal if that is impossible."""
    asked = [terms.scenario, terms.params, terms.bound, terms.keep_going, terms.shared, terms.races]
    body: bytes = msgpack.packb([code, asked, left, _seen(report), world])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, MAGIC + _HEAD.pack(VERSION, zlib.crc32(body)) + body)
    except FileExistsError:
        raise Refusal(f"write checkpoint {path}: {path.parent} is not a directory") from None
    except OSError as error:
        raise Refusal(f"write checkpoint {path}: {error.strerror or error}") from None


def read(path: Path) -> Checkpoint:
    """What a file says; Refusal, in one line, if it is none, damaged, or of another model."""
    try:
        data = read_regular(path, MAX_FILE)
    except (OSError, ValueError) as error:
        raise Refusal(f"read checkpoint {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        made = _decoded(_body(data))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, msgpack.UnpackException) as problem:
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise Refusal(f"read checkpoint {path}: {reason}") from None
    return made


def code_digest(scenario: str) -> bytes:
    """A digest of the models, the engine, and a user's own scenario file with the modules beside it that it imports."""
    found = hashlib.sha256(_models_digest())
    own, separator, _ = scenario.partition(SEPARATOR)
    if separator:
        for path, text in sources_of(own).items():
            found.update(f"{path.name}\n{len(text)}\n{text}".encode())
    return found.digest()[:16]


def world_digest(terms: Terms) -> bytes:
    """A digest of the world that a user's file builds now, and of what its modules hold: a file that it reads, or a
    variable of the environment, may have made another one of the same text. What cannot be looked into is left out."""
    path, separator, _ = terms.scenario.partition(SEPARATOR)
    if not separator or is_c(path):
        return b""
    world = terms.make_world()()
    found = hashlib.sha256(digest([world, world.witnesses, world.step_bound]))
    for module in load(path).modules:
        for name, value in vars(module).items():
            if not name.startswith("__"):
                found.update(f"{name}\n".encode() + digest(value))
    return found.digest()[:16]


def refuse_another_world(path: Path, made: Checkpoint) -> None:
    """Refusal if a proof is to be continued with another world than it began with."""
    if world_digest(made.terms) != made.world:
        raise Refusal(
            f"read checkpoint {path}: the scenario builds another world than when that proof began, though its text is "
            "the same: a file that it reads was changed, or a variable of the environment; prove it anew"
        )


@cache
def _models_digest() -> bytes:
    """As this process found them: what it has imported does not change any more."""
    found = hashlib.sha256()
    files = [path for folder in _MODELS for path in sorted((_ROOT / folder).rglob("*"))]
    for path in [path for path in files if path.suffix in (".py", ".c", ".h")]:
        found.update(f"{path.relative_to(_ROOT)}\n".encode() + path.read_bytes())
    return found.digest()


def _body(data: bytes) -> bytes:
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise ValueError("not a stopmarker checkpoint (the first bytes differ)")
    start = len(MAGIC) + _HEAD.size
    if len(data) < start:
        raise ValueError(f"cut after {len(data)} bytes; the file is not whole")
    version, checksum = _HEAD.unpack_from(data, len(MAGIC))
    if version != VERSION:
        newer = "; a newer stopmarker wrote it" if version > VERSION else ""
        raise ValueError(f"format version {version}, this stopmarker reads {VERSION}{newer}")
    if zlib.crc32(data[start:]) != checksum:
        raise ValueError("the checksum differs; the file is cut or damaged")
    return data[start:]


def _decoded(body: bytes) -> Checkpoint:
    code, asked, left, seen, world = msgpack.unpackb(body, strict_map_key=True)
    scenario, params, bound, keep_going, shared, races = asked
    given = tuple((str(name), value) for name, value in params)
    uses = tuple((str(actor), str(what), str(name), bool(change)) for actor, what, name, change in shared)
    terms = Terms(str(scenario), given, bound, bool(keep_going), shared=uses, races=str(races))
    made = Checkpoint(terms, Share.unpack(left), _report(*seen), bytes(world))
    if code != _code_now(terms.scenario):
        raise ValueError("the scenario or a model was changed since; what is left of that proof would prove nothing")
    return made


def _code_now(scenario: str) -> bytes:
    try:
        return code_digest(scenario)
    except Refusal as refusal:
        raise ValueError(f"its scenario {scenario}: {refusal}") from None


def _seen(report: Report) -> list[object]:
    counts = [report.schedules, report.cut, report.failing, report.steps, report.bounded, report.seconds]
    found = []
    for item in report.found.values():
        finding = item.finding
        what = [str(finding.outcome), finding.oracle, finding.message, finding.step, finding.objects, finding.where]
        found.append([what, item.schedule, item.at, item.count])
    races = [
        [item.at, item.schedule, item.race.name, _accessed(item.race.first), _accessed(item.race.second)]
        for item in report.races.values()
    ]
    return [counts, report.witnesses, found, races, report.looks_for_races]


def _accessed(access: ByteAccess) -> list[object]:
    return [*access[:3], access.mark.value, *access[4:]]


def _access(start: int, size: int, writes: bool, mark: str, name: str, place: str) -> ByteAccess:
    return ByteAccess(start, size, bool(writes), Mark(mark), str(name), str(place))


def _report(
    counts: Sequence[Any], witnesses: Mapping[str, bool], found: Sequence[Any], races: Sequence[Any], looks: bool
) -> Report:
    schedules, cut, failing, steps, bounded, seconds = counts
    report = Report(schedules, cut, failing, steps, bounded, seconds, witnesses=dict(witnesses))
    for (outcome, oracle, message, step, objects, *place), schedule, at, count in found:
        what = {"oracle": oracle, "message": message, "step": step, "where": "".join(place)}
        finding = Finding(outcome=Outcome(outcome), objects=tuple(objects), **what)
        report.found[finding.signature] = FoundSignature(finding, tuple(schedule), at, count)
    for at, schedule, name, first, second in races:
        race = DataRace(str(name), _access(*first), _access(*second))
        report.races[race.key] = FoundRace(race, tuple(schedule), at)
    report.looks_for_races = bool(looks)
    return report
