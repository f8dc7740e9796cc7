"""What code and documents cite exists: sections, invariants, races, seeds, links; races name their scenarios."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from scenarios.catalogue import MODULES, load
from tools.cli import cli

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CODE = ("actors", "drivers", "hw", "scenarios", "stopmarker", "tools", "tests")
SECTIONED = {"smmuv3": DOCS / "smmuv3.md", "vtd-pcie": DOCS / "vtd-pcie.md", "logs": DOCS / "logs.md"}
"""The documents whose sections code cites, by the name that it cites them by."""
PUBLIC = ("IHI 0070", "PCIe", "POPL 2014,")
"""Texts of others that have sections, too; nobody checks those."""
ITEM = r"(?:§\d+(?:\.\d+)*|[IL]\d+\b)"
CITED = re.compile(
    rf"({'|'.join(map(re.escape, (*SECTIONED, *PUBLIC)))})\s({ITEM}(?:(?:,|;|\sand|\sto)\s{ITEM})*)",
)
"""A document, then what is cited of it: `smmuv3 §3.5, §3.6`, `vtd-pcie I9, §3.3`."""
RACE_NAME = r"(?:SMMU|VTD)-R\d\d"
RACE = re.compile(r"(?:SMMU|VTD)-R\d+")
COMMIT = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,12}\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read(path: Path) -> str:
    """The text with one space where lines, comments and joined strings go on."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r'\s*"?\n\s*(?:# |f?"(?!""))?', " ", text) if path.suffix == ".py" else re.sub(r"\s+", " ", text)


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("tests/*.md"))]


def sources() -> list[Path]:
    found = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in [*found, *sorted(ROOT.glob("*.py"))] if path != Path(__file__)]


def found_in_all(look: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """What `look` finds in each text that ships, by file; files without a find are left out."""
    finds = ((name(path), [*look(read(path))]) for path in [*documents(), *sources()])
    return {file: found for file, found in finds if found}


@cache
def existing(document: str) -> frozenset[str]:
    """Its sections, as `§3.2`, and the invariants (I) and conclusions (L) that it lists."""
    text = SECTIONED[document].read_text(encoding="utf-8")
    sections = {f"§{number}" for number in re.findall(r"^#+ (\d+(?:\.\d+)*)[. ]", text, re.MULTILINE)}
    return frozenset(sections | set(re.findall(r"^\* ([IL]\d+)\b", text, re.MULTILINE)))


@cache
def rows(heading: str) -> list[list[str]]:
    """The cells of the table rows in races.md whose first cell matches `heading`."""
    text = (DOCS / "races.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(rf"\| {heading} \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def wrong_citations(text: str) -> Iterator[str]:
    """What `text` cites of a shipped document that is not there, and each section sign that no document goes before."""
    for document, items in CITED.findall(text):
        if document in SECTIONED:
            missing = set(re.findall(ITEM, items)) - existing(document)
            yield from (f"{document} has no {item}" for item in sorted(missing))
    bare = CITED.sub("", text)
    yield from (bare[max(0, at.start() - 40) : at.start() + 8] for at in re.finditer(r"§\d", bare))


def test_what_is_cited_of_a_document_is_in_it() -> None:
    assert found_in_all(wrong_citations) == {}


def test_a_wrong_citation_is_found() -> None:
    assert list(wrong_citations("smmuv3 §3.2, §99; vtd-pcie I99 and PCIe §99")) == [
        "smmuv3 has no §99",
        "vtd-pcie has no I99",
    ]
    assert list(wrong_citations("as of §3.2")) == ["as of §3.2"]


def wrong_races(text: str) -> Iterator[str]:
    """Races that no catalogue has, and numbers without a catalogue, as both count from 1."""
    yield from sorted(set(RACE.findall(text)) - {row[0] for row in rows(RACE_NAME)})
    yield from re.findall(r"(?<![\w-])R\d+\b", text)


def test_every_race_is_in_the_catalogue_and_named_with_it() -> None:
    assert found_in_all(wrong_races) == {}


def test_a_wrong_race_is_found() -> None:
    assert list(wrong_races("SMMU-R99, SMMU-R01 and R07")) == ["SMMU-R99", "R07"]


def test_every_race_is_explained_below_its_table() -> None:
    text = (DOCS / "races.md").read_text(encoding="utf-8")
    assert re.findall(r"^\* \*\*(\S+)\*\*", text, re.MULTILINE) == [row[0] for row in rows(RACE_NAME)]


def wrong_seeds(text: str) -> Iterator[str]:
    """Seeds that races.md does not list."""
    for group in re.findall(r"\b[Ss]eeds? (\d{3}(?:(?:, | and | to )\d{3})*)\b", text):
        yield from sorted(set(re.findall(r"\d{3}", group)) - {row[0] for row in rows(r"\d{3}")})


def test_every_seed_is_in_the_list() -> None:
    assert found_in_all(wrong_seeds) == {}


def test_nothing_cites_a_text_that_does_not_ship() -> None:
    absent = re.compile(r"\bdomain/\w*|\bdomain texts?\b|\b(?:smmuv3|vtd-pcie)\.md (?:§|section)")
    assert found_in_all(absent.findall) == {}


@pytest.mark.parametrize("path", documents(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", documents(), ids=name)
def test_what_a_document_calls_by_its_path_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?!drivers/iommu\b)(?:{'|'.join(CODE)}|docs)/[\w./]*)`", text)  # but for Linux's folder
    assert [each for each in named if not (ROOT / each).exists()] == []
    assert name(path) != "CONTRIBUTING.md" or len(named) > 20, "it says where additions go"


@pytest.mark.parametrize("path", documents(), ids=name)
def test_what_a_document_calls_by_its_module_exists(path: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(CODE)})(?:\.\w+)+)`", path.read_text(encoding="utf-8"))
    assert [each for each in named if not is_importable(each)] == []


def is_importable(dotted: str) -> bool:
    """Whether it is a module, or something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False


@pytest.mark.parametrize("scenario", MODULES)
def test_list_cites_what_exists(scenario: str) -> None:
    result = CliRunner().invoke(cli, ["list", scenario])
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert list(wrong_citations(said)) == []
    assert list(wrong_races(said)) == []


def shown(scenario: str) -> set[str]:
    """The races that a scenario is about, by what its source, rows, parameters and module say: names, or commits."""
    known = load(scenario)
    said = [known.source, known.summary, import_module(MODULES[scenario]).__doc__ or ""]
    said += [param.meaning for param in known.params.values()] + [row.why for row in known.expected]
    text = " ".join(said)
    races = set(RACE.findall(text))
    for catalogue, first, last in re.findall(r"(SMMU|VTD)-R(\d+) to (?:SMMU|VTD)-R(\d+)", text):
        races |= {f"{catalogue}-R{number:02}" for number in range(int(first), int(last) + 1)}
    commits = {commit[:8] for commit in COMMIT.findall(text)}
    return races | {race for race, _, where, *_ in rows(RACE_NAME) if commits & short(where)}


def short(cell: str) -> set[str]:
    return {commit[:8] for commit in COMMIT.findall(cell)}


def test_each_race_names_the_scenarios_that_show_it() -> None:
    table = {row[0]: set(re.findall(r"`([^`]+)`", row[-1])) for row in rows(RACE_NAME)}
    shows: dict[str, set[str]] = {race: set() for race in table}
    for scenario in MODULES:
        for race in shown(scenario):
            shows[race].add(scenario)
    assert table == shows
    assert {row[-1] for row in rows(RACE_NAME) if not shows[row[0]]} == {"no scenario yet"}


def test_each_seed_names_its_scenarios() -> None:
    table = {row[0]: set(re.findall(r"`([^`]+)`", row[-1])) for row in rows(r"\d{3}")}
    cited = {scenario: set(re.findall(r"seed (\d{3})", load(scenario).source)) for scenario in MODULES}
    assert table == {seed: {scenario for scenario, seeds in cited.items() if seed in seeds} for seed in table}


def test_the_knobs_are_parameters_of_their_scenarios() -> None:
    text = (DOCS / "knobs.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)(?:=[\w-]+)?`\)? of ((?:(?:, | and )?`[\w-]+`)+)", text)
    found = {(parameter, scenario) for parameter, homes in named for scenario in re.findall(r"`([\w-]+)`", homes)}
    assert ("pushed", "flr-tags") in found
    assert {(parameter, home) for parameter, home in found if parameter not in load(home).params} == set()


def commands() -> list[list[str]]:
    """The commands of the table of seeds, in words."""
    text = (DOCS / "seeds.md").read_text(encoding="utf-8")
    return [found.split() for found in re.findall(r"\| `stopmarker ([^`]+)` \|", text)]


def test_every_sentence_of_a_seed_has_a_command_that_is_there_and_stated() -> None:
    assert len(commands()) == 59
    for verb, scenario, *options in commands():
        assert verb in ("prove", "fuzz")
        assert set(options[::2]) <= {"-p"}
        known = load(scenario)
        given = known.complete(dict(option.split("=") for option in options[1::2]))
        rows = {row.verdict for row in known.expected if known.complete(row.params) == given}
        assert len(rows) == 1, f"{scenario} {options}: no row of its table states it"


def test_what_is_said_of_a_command_is_what_its_row_states() -> None:
    text = (DOCS / "seeds.md").read_text(encoding="utf-8")
    for words, said in re.findall(r"\| `stopmarker \w+ ([^`]+)` \| ([^|]+) \|", text):
        scenario, *options = words.split()
        known = load(scenario)
        given = known.complete(dict(option.split("=") for option in options[1::2]))
        (verdict,) = {row.verdict for row in known.expected if known.complete(row.params) == given}
        assert said.startswith(verdict), f"{words}: {verdict}, and the page says {said}"
