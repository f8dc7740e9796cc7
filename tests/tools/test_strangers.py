"""Files and tokens from strangers: none runs what the user does not know, none ends in a traceback, none prints control
characters."""

from __future__ import annotations

import os
import random
import struct
import zlib
from base64 import b32encode
from pathlib import Path
from typing import Any

import msgpack
import pytest
from click.testing import CliRunner, Result

from actors.runtime.runs.schedule import Recipe, TokenError
from tools.cli import cli
from tools.own_files import trust
from tools.own_files.own_file import MOST_BYTES, sources_of
from tools.terminal.exits import Exit, Refusal
from tools.terminal.printable import LONGEST_LINE, escaped, one_line, printable
from tools.traces import container
from tools.traces.container import MAGIC, VERSION, decode, encode
from tools.traces.store import save
from tools.traces.trace import TraceError

from .runs import run, violating

MINE = """
from stopmarker import Cpu, World, scenario

WORD = "known"

@scenario()
def mine(world: World) -> None:
    \"\"\"One note.\"\"\"

    async def main(cpu: Cpu) -> None:
        await cpu.note(WORD)

    world.add_actor("main", main)
"""
TOKEN = violating("unbinding").recipe.token()
STRANGE: list[Any] = [
    None, True, False, -1, 0, 1, 2**31, 2**63, 1.0, 0.5, float("nan"), "", "\x1b[2J", "x" * 40_000, b"", b"\xff" * 9,
    [], [[]], [[], []], [0], ["a"], [[[[[[[[[[]]]]]]]]]],
]  # fmt: skip
"""Values that stand where others belong."""


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def mutated(value: Any, draw: random.Random) -> Any:
    """A copy of a nested list in which one value is another one, is gone, or stands there twice."""
    if not isinstance(value, list) or not value or draw.random() < 0.15:
        return draw.choice(STRANGE)
    copy, place = list(value), draw.randrange(len(value))
    kind = draw.random()
    if kind < 0.1:
        del copy[place]
    elif kind < 0.2:
        copy.insert(place, copy[place])
    else:
        copy[place] = mutated(copy[place], draw)
    return copy


def sealed(chunks: list[tuple[bytes, Any]]) -> bytes:
    """A container of these chunks, with right lengths, checksums and index."""
    out = bytearray(MAGIC + struct.pack(">H", VERSION))
    index: list[list[object]] = []
    for kind, records in [*chunks, (b"Z", None)]:
        payload = msgpack.packb(index if kind == b"Z" else records)
        index.append([kind.decode(), len(out), len(records) if isinstance(records, list) else 0])
        out += struct.pack(">cII", kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))) + payload
    return bytes(out)


def parts_of(data: bytes) -> list[tuple[bytes, Any]]:
    position, parts = len(MAGIC) + 2, []
    while position < len(data):
        kind, length, _ = struct.unpack_from(">cII", data, position)
        position += 9
        parts.append((kind, msgpack.unpackb(data[position : position + length])))
        position += length
    return parts[:-1]


def read_mutants(count: int, seed: int) -> tuple[int, int]:
    """How many of `count` mutants were refused, each in one printable line, and how many are traces all the same."""
    draw, parts = random.Random(seed), parts_of(encode(violating("unbinding")))
    refused = read = 0
    for _ in range(count):
        chunks = list(parts)
        place = draw.randrange(len(chunks))
        chunks[place] = (chunks[place][0], mutated(chunks[place][1], draw))
        try:
            trace = decode(sealed(chunks))
        except TraceError as problem:
            assert "\n" not in str(problem)
            refused += 1
        else:
            assert encode(decode(encode(trace))) == encode(trace)  # as bytes: a NaN equals nothing
            read += 1
    return refused, read


def parse_mutants(count: int, seed: int) -> tuple[int, int]:
    """The same of tokens, whose checksum is right too."""
    draw = random.Random(seed)
    recipe = Recipe.parse(TOKEN)
    body = [recipe.scenario, [list(pair) for pair in recipe.params], bytes(recipe.schedule)]
    refused = read = 0
    for _ in range(count):
        packed = zlib.compress(msgpack.packb(mutated(body, draw)))
        if draw.random() < 0.3:
            cut = draw.randrange(len(packed))
            packed = packed[:cut] + bytes([draw.randrange(256)]) * draw.randrange(3) + packed[cut + draw.randrange(2) :]
        token = "sm1:" + b32encode(zlib.crc32(packed).to_bytes(4, "big") + packed).decode().rstrip("=")
        try:
            found = Recipe.parse(token)
        except TokenError as problem:
            assert "\n" not in str(problem)
            refused += 1
        else:
            assert isinstance(found.scenario, str)
            read += 1
    return refused, read


def test_traces_that_are_changed_behind_their_checksums_are_refused_or_are_traces() -> None:
    refused, read = read_mutants(10_000, 1)
    assert refused + read == 10_000
    assert refused > read > 0


def test_tokens_that_are_changed_behind_their_checksums_are_refused_or_are_tokens() -> None:
    refused, read = parse_mutants(10_000, 1)
    assert refused + read == 10_000
    assert refused > read > 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_million_changed_traces(seed: int) -> None:
    assert sum(read_mutants(100_000, 100 + seed)) == 100_000


@pytest.mark.long
def test_a_hundred_thousand_changed_tokens() -> None:
    assert sum(parse_mutants(100_000, 2)) == 100_000


@pytest.mark.parametrize("space", [" ", "\n", "\r\n\t", "\u00a0", "\u2028", "\u200b", "\ufeff", " \\\n    ", "\n> "])
def test_a_mail_may_put_white_space_of_any_kind_into_a_token(space: str) -> None:
    assert Recipe.parse(TOKEN[:20] + space + TOKEN[20:]) == Recipe.parse(TOKEN)


@pytest.mark.parametrize(
    ("token", "complaint"),
    [
        ("sm1:ÄÖÜ", "read token: it holds 'Ä', allowed are A to Z and 2 to 7"),
        ("sm1:A", "read token: not base32; was a character lost?"),
        ("sm1:" + b32encode(zlib.crc32(b"no").to_bytes(4, "big") + b"no").decode().rstrip("="), "does not inflate"),
        ("sm1:", "read token: checksum differs; was a character lost or changed?"),
        ("sm1:" + b32encode(bytes(4)).decode().rstrip("="), "read token: the deflated part is not whole"),
    ],
)
def test_a_damaged_token_is_refused_in_one_line(token: str, complaint: str) -> None:
    result = call("replay", token)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert complaint in result.stderr


def test_a_float_is_no_number_of_a_step() -> None:
    parts = parts_of(encode(violating("unbinding")))
    steps = next(records for kind, records in parts if kind == b"S")
    steps[0][0] = float(steps[0][0])
    with pytest.raises(TraceError, match="step 0 takes an actor that was not offered"):
        decode(sealed(parts))


def test_a_file_may_hold_so_many_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the empty ones 64 million fit into a file, and into no memory."""
    monkeypatch.setattr(container, "MAX_LISTS", 10_000)
    parts = parts_of(encode(violating("unbinding")))
    parts[1:] = [(b"S", [[]] * 4_000)] * 3
    with pytest.raises(TraceError, match="more than 10,000 arrays"):
        decode(sealed(parts))


def test_a_refusal_is_one_printable_line(tmp_path: Path) -> None:
    parts = parts_of(encode(violating("unbinding")))
    header = parts[0][1]
    header[1][4] = "\x1b[2J\r" + "x" * 20_000
    file = tmp_path / "evil.smt"
    file.write_bytes(sealed(parts))
    result = call("show", str(file))
    assert result.exit_code == Exit.USAGE
    assert len(result.stderr) < LONGEST_LINE + 20
    assert result.stderr[:-1].isprintable()
    assert "outcome '\\x1b[2J" in result.stderr


def test_what_a_trace_says_moves_no_cursor(tmp_path: Path) -> None:
    parts = parts_of(encode(violating("unbinding")))
    header = parts[0][1]
    header[1][6] = ["\x1b[2J\x9b" + name for name in header[1][6]]
    file = tmp_path / "evil.smt"
    file.write_bytes(sealed(parts))
    for words in (["show", "--all"], ["show", "--style", "list"], ["show", "--json"]):
        shown = call(*words, str(file)).stdout
        assert shown.count("\n") > 10
        assert all(line.isprintable() for line in shown.split("\n"))


def test_text_is_escaped_and_cut() -> None:
    assert printable("a\x1b\u202eb") == "a\\x1b\\u202eb"
    assert escaped('"\x9b\U000e0001"') == '"\\u009b\\udb40\\udc01"'
    assert one_line("a\n" + "b" * 600) == "a " + "b" * 246 + " … " + "b" * 248


def test_a_stranger_s_file_is_not_run_before_the_user_ran_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    token = Recipe(scenario=f"{file}::mine", params=(), schedule=()).token()
    complaint = f"would run {file}, which you have not run before as it is now: look at it, then add --trust"
    for command in ("replay", "explain"):
        refused = call(command, token)
        assert refused.exit_code == Exit.USAGE
        assert refused.stderr == f"stopmarker: this token {complaint}\n"
    assert call("run", f"{file}::mine").exit_code == 0
    assert call("replay", token).exit_code == 0
    file.write_text(MINE.replace("known", "changed"))
    assert call("replay", token).exit_code == Exit.USAGE
    assert call("replay", token, "--scenario", f"{file}::mine").exit_code == 0
    assert call("replay", token).exit_code == 0


def test_trust_runs_what_a_recording_names(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE.replace("known", "trusted"))
    token = Recipe(scenario=f"{file}::mine", params=(), schedule=()).token()
    assert call("replay", token).exit_code == Exit.USAGE
    assert call("replay", token, "--trust").exit_code == 0


def test_what_a_scenario_imports_from_its_folder_counts_too(tmp_path: Path) -> None:
    file, module, package = tmp_path / "mine.py", tmp_path / "words.py", tmp_path / "more"
    package.mkdir()
    file.write_text("import words\n")
    module.write_text("from more import things\n")
    digests = {trust.digest(sources_of(str(file)))}
    for changed in (module, package / "__init__.py", package / "things.py"):
        changed.write_text("from more import things  # changed\n")
        digests.add(trust.digest(sources_of(str(file))))
    (tmp_path / "other.py").write_text("not imported\n")
    assert trust.digest(sources_of(str(file))) in digests
    assert len(digests) == 4


def test_shipped_scenarios_need_no_trust() -> None:
    trust.check("unbind-window", False, "this token")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "fifo"])
def test_only_regular_files_are_read(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    for words in (["run", f"{path}::x"], ["show", path], ["replay", path]):
        result = call(*words)
        assert result.exit_code == Exit.USAGE
        assert "no regular file" in result.stderr or "No such device" in result.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
@pytest.mark.parametrize("words", [("replay", "it"), ("prove", "--resume", "it"), ("prove", "it::x"), ("show", "it")])
def test_nobody_waits_for_a_fifo(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("it")
    result = CliRunner().invoke(cli, [*words])
    assert (result.exit_code, result.stderr.count("\n")) == (Exit.USAGE, 1)
    assert result.stderr.endswith("it: it is no regular file\n")


def test_a_name_of_any_length_is_refused_in_a_short_line() -> None:
    result = CliRunner().invoke(cli, ["run", "a" * 100_000])
    assert result.exit_code == Exit.USAGE
    assert len(result.stderr) < 520


def test_a_scenario_file_has_a_size(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("#" * (MOST_BYTES + 1))
    with pytest.raises(Refusal, match="it has more than 1,048,576 bytes, the most that is read"):
        sources_of(str(file))


def test_what_is_written_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = save(run("unbinding", 3), tmp_path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_replay_says_whether_the_file_is_what_it_would_write(tmp_path: Path) -> None:
    """The same values can be packed in other ways: as a trace they are the same, as a file they are not."""
    trace = run("unbinding", 3)
    file = save(trace, tmp_path)
    assert "identical to the recording, byte for byte" in call("replay", str(file)).stdout
    parts = parts_of(encode(trace))
    steps = next(records for kind, records in parts if kind == b"S")
    file.write_bytes(sealed([parts[0], (b"S", steps[:1]), (b"S", steps[1:]), *parts[2:]]))
    told = call("replay", str(file)).stdout
    assert "identical to the recording, though the file's bytes are not those that stopmarker writes for it" in told
