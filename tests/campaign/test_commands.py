"""What the campaign commands say: text, documents, JUnit, SARIF, exit codes; and merging the parts of a job array."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.campaign.cells import CampaignOptions, Cell
from tools.campaign.conduct import make_engine
from tools.campaign.store import FINDINGS, open_to_read, open_to_write
from tools.campaign.telling import status_lines
from tools.campaign.views import groups, set_aside, verdict
from tools.cli import cli
from tools.terminal.exits import Exit, Refusal

from ..tools.test_cli import call, document
from ..tools.test_processes import start
from .engines import ENDING, MORTAL, UNBINDING, WORLDS, begin, conducted, options_of

SCENARIOS = (UNBINDING, f"{WORLDS}::lock_order", f"{WORLDS}::broken_oracle", f"{WORLDS}::vacuous")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A campaign with three buckets."""
    made = tmp_path_factory.mktemp("campaigns") / "one"
    with begin(made, options_of(*SCENARIOS)) as store:
        conducted(store)
    return str(made)


def test_findings_are_listed_by_bucket_with_the_command_that_runs_them_again(folder: str) -> None:
    result = call("campaign", "findings", folder)
    assert result.exit_code == Exit.VIOLATED
    lines = result.stdout.splitlines()
    assert [line.split("  ")[1] for line in lines[:-1] if not line.startswith("  ")] == [
        f"{WORLDS}::broken_oracle: KeyError",
        f"{WORLDS}::lock_order: no-deadlock",
        f"{UNBINDING}: no-cross",
    ]
    assert "  a: lock two / b: lock two" in lines
    assert f"  stopmarker replay {folder}/{FINDINGS}/lock-order-no-deadlock-" in result.stdout
    assert lines[-1] == "3 buckets, 3 findings. Bounds: sequentially consistent memory."


def test_status_says_how_much_may_be_left_and_no_percentage(folder: str) -> None:
    result = call("campaign", "status", folder)
    assert f"campaign {folder}: over" in result.stdout
    assert "  cells     4; in 0 of them every behaviour was seen" in result.stdout
    assert "  shards    30 done, 0 out, 0 set aside" in result.stdout
    assert "  canary    fails, as it must" in result.stdout
    assert "the queue is full: never reached" in result.stdout
    assert "pairs seen in 120 schedules" in result.stdout
    assert "%" not in result.stdout


def test_status_of_what_was_stopped_says_what_is_out_and_how_to_go_on(tmp_path: Path) -> None:
    begin(tmp_path, options_of(UNBINDING)).close()
    with open_to_read(tmp_path) as store:
        lines = "\n".join(status_lines(store))
        assert f"campaign {tmp_path}: stopped: `campaign resume` continues it" in lines
        assert "  canary    not yet run" in lines
        assert verdict(store) == ("nothing run", Exit.NOTHING_SELECTED)


def test_one_finding_is_drawn_by_the_beginning_of_its_number(folder: str) -> None:
    _, listed = document("campaign", "findings", folder)
    exact = listed["buckets"][2]["findings"][0]["exact"]
    result = call("campaign", "show", folder, exact[:6])
    assert result.exit_code == Exit.NOTHING_VIOLATED
    assert f"finding {exact}: no-cross in {UNBINDING}" in result.stdout
    assert "  Decided by driver: store CD[#] / smmu.priq: load CD[#]." in result.stdout
    assert "[*] VIOLATION no-cross" in result.stdout
    assert document("campaign", "show", folder, exact)[1]["exact"] == exact
    assert "which? " in call("campaign", "show", folder).stderr
    assert call("campaign", "show", folder, "zz").stderr.endswith(
        "there is none (see `stopmarker campaign findings`)\n"
    )


def test_documents_say_all_of_it(folder: str) -> None:
    code, status = document("campaign", "status", folder)
    assert (code, status["format"], status["verdict"]) == (Exit.VIOLATED, "stopmarker-campaign-status", "violated")
    assert (status["schedules"], status["shards"], status["over"]) == (480, {"done": 30}, True)
    assert status["coverage"][UNBINDING]["saturation"]["samples"] == 120
    _, findings = document("campaign", "findings", folder)
    bucket = findings["buckets"][2]
    (one,) = bucket["findings"]
    assert bucket["bucket"] == {
        "family": UNBINDING,
        "oracle": "no-cross",
        "pair": ["driver: store CD[#]", "smmu.priq: load CD[#]"],
    }
    assert (one["first_shard"], one["at"]) == (f"shard 0 of {UNBINDING} [walk]", 1)
    assert (
        bucket["count"] == one["count"] == status["failing"] - sum(other["count"] for other in findings["buckets"][:2])
    )


def test_junit_has_a_case_for_each_cell(folder: str, tmp_path: Path) -> None:
    file = tmp_path / "out.xml"
    assert call("campaign", "export", folder, "--format", "junit", "-o", str(file)).exit_code == 0
    assert call("campaign", "export", folder, "--format", "junit").stdout == file.read_text()
    root = ElementTree.parse(file).getroot()
    assert [suite.get("name") for suite in root] == list(SCENARIOS)
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "2",
        "errors": "1",
    }
    (failure,) = root.findall("./testsuite/testcase/failure[@type='no-cross']")
    assert failure.get("message") == "request of mm A resolved against mm B"
    assert "stopmarker replay" in (failure.text or "")


def test_sarif_has_a_rule_for_each_oracle_and_a_result_for_each_bucket(folder: str) -> None:
    log = json.loads(call("campaign", "export", folder, "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["KeyError", "no-cross", "no-deadlock"]
    assert [(result["ruleId"], rules[result["ruleIndex"]]) for result in run["results"]] == [
        ("KeyError", "KeyError"),
        ("no-deadlock", "no-deadlock"),
        ("no-cross", "no-cross"),
    ]
    told = [result["message"]["text"].splitlines()[1] for result in run["results"]]
    assert told == [
        "No order of two steps decides it.",
        "Decided by a: lock two / b: lock two.",
        "Decided by driver: store CD[#] / smmu.priq: load CD[#].",
    ]
    place = run["results"][2]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == WORLDS
    assert [where["fullyQualifiedName"] for where in place["logicalLocations"]] == [
        f"{UNBINDING}: driver: store CD[#]",
        f"{UNBINDING}: smmu.priq: load CD[#]",
    ]


def test_what_was_set_aside_and_what_never_ran_is_exported_as_that(tmp_path: Path) -> None:
    cells = tuple(Cell(scenario=name, params=(), strategy="walk", size=5) for name in (UNBINDING, MORTAL))
    with begin(tmp_path, CampaignOptions(cells=cells, schedules=5)) as store:
        store.run("INSERT INTO shards (cell, number, state, since, reason) VALUES (1, 0, 'quarantined', 0, 'a \x01b')")
    result = call("campaign", "export", str(tmp_path), "--format", "junit").stdout
    root = ElementTree.fromstring(result)
    assert [[child.tag for child in case] for case in root.iter("testcase")] == [["error"], ["skipped"]]
    (run,) = json.loads(call("campaign", "export", str(tmp_path), "--format", "sarif").stdout)["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_an_export_that_cannot_be_written_says_so(folder: str, tmp_path: Path) -> None:
    result = call("campaign", "export", folder, "--format", "sarif", "-o", str(tmp_path / "no" / "x"))
    assert result.exit_code == Exit.USAGE
    assert result.stderr == f"stopmarker: write {tmp_path}/no/x: No such file or directory\n"


def parts_of(folder: Path, options: CampaignOptions, parts: int) -> list[Path]:
    made = []
    for part in range(1, parts + 1):
        share = CampaignOptions(
            **{name: getattr(options, name) for name in ("cells", "seed", "schedules")}, part=(part, parts)
        )
        with begin(folder / str(part), share) as store:
            conducted(store)
        made.append(folder / str(part))
    return made


@pytest.mark.parametrize("strategy", ["walk", "portfolio"])
def test_parts_merged_are_what_one_machine_comes_to(strategy: str, tmp_path: Path) -> None:
    options = options_of(*SCENARIOS, strategy=strategy)
    with begin(tmp_path / "whole", options) as whole:
        conducted(whole)
        parts = parts_of(tmp_path, options, 3)
        code, merged = document("campaign", "merge", str(tmp_path / "merged"), *map(str, parts))
        assert (code, merged["missing"], merged["over"]) == (Exit.VIOLATED, None, True)
        with open_to_read(tmp_path / "merged") as store:
            assert [group.bucket for group in groups(store)] == [group.bucket for group in groups(whole)]
            assert {one.exact for group in groups(store) for one in group.findings} >= {
                one.exact for group in groups(whole) for one in group.findings
            }
            shards = "SELECT cell, number, schedules, failing FROM shards ORDER BY cell, number"
            if strategy == "walk":  # with the portfolio a part may run what another part knows to be seen already
                assert [tuple(row) for row in store.run(shards)] == [tuple(row) for row in whole.run(shards)]
                coverage = "SELECT * FROM coverage ORDER BY family, key"
                assert [tuple(row) for row in store.run(coverage)] == [tuple(row) for row in whole.run(coverage)]
                assert [group.count for group in groups(store)] == [group.count for group in groups(whole)]
            for group in groups(store):
                assert Path(group.shortest.file).parent == tmp_path / "merged" / FINDINGS
                code = Exit.ERROR if group.bucket.oracle == "KeyError" else Exit.VIOLATED
                assert call("replay", group.shortest.file).exit_code == code


def test_a_merge_without_all_parts_says_so_and_holds_nothing_for_safe(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, options_of(UNBINDING, params=["drain=full"]), 3)
    result = call("campaign", "merge", str(tmp_path / "merged"), str(parts[0]), str(parts[2]))
    assert result.exit_code == Exit.INCONCLUSIVE
    assert result.stdout.splitlines()[-1] == "Not all of it: part 2/3 is missing."
    looked = call("campaign", "status", str(tmp_path / "merged"))
    told = [f"campaign {tmp_path}/merged: incomplete", "  lacking   part 2/3 is missing"]
    assert looked.stdout.splitlines()[:2] == told
    resumed = call("campaign", "resume", str(tmp_path / "merged"))
    assert "it was merged from parts; resume those, and merge again" in resumed.stderr


def test_many_missing_parts_are_told_in_ranges(tmp_path: Path) -> None:
    cells = options_of(UNBINDING, schedules=20).cells
    parts = [tmp_path / str(part) for part in (2, 500, 997)]
    for part in parts:
        begin(part, CampaignOptions(cells=cells, schedules=20, part=(int(part.name), 1_000))).close()
    code, merged = document("campaign", "merge", str(tmp_path / "merged"), *map(str, parts))
    absent = "997 of 1000 parts are missing: 1, 3-499, 501-996, 998-1000"
    assert (code, merged["missing"]) == (Exit.INCONCLUSIVE, f"{absent}; part 2/1000 is unfinished")


def test_lost_traces_are_made_again_and_a_merge_goes_without_them(tmp_path: Path) -> None:
    (part,) = parts_of(tmp_path, options_of(*SCENARIOS), 1)
    whole = {path.name: path.read_bytes() for path in sorted((part / FINDINGS).iterdir())}
    first, second, third = [part / FINDINGS / name for name in whole]
    first.unlink()
    second.write_bytes(b"damaged")
    _, listed = document("campaign", "findings", str(part))
    assert [call(*bucket["findings"][0]["rerun"].split()[1:]).exit_code for bucket in listed["buckets"]] == [7, 2, 1]
    exact = listed["buckets"][0]["findings"][0]["exact"]
    again = f"made again by: stopmarker campaign resume {part}\n"
    assert call("campaign", "show", str(part), exact).stderr.endswith(again)

    code, merged = document("campaign", "merge", str(tmp_path / "merged"), str(part))
    assert (code, [path.name for path in (tmp_path / "merged" / FINDINGS).iterdir()]) == (Exit.VIOLATED, [third.name])
    assert len(merged["buckets"]) == 1
    assert {one["reason"] for one in merged["set_aside"]} == {
        "its trace file is lost; `campaign resume` of its part makes it again, then merge anew"
    }
    for one in merged["set_aside"]:
        assert call("replay", one["token"]).exit_code in (Exit.VIOLATED, Exit.ERROR)

    with open_to_write(part) as store:
        conducted(store)
        found = [finding for group in groups(store) for finding in group.findings]
        assert {Path(one.file).name: Path(one.file).read_bytes() for one in found} == whole
        assert (part / FINDINGS / f"{second.name}.damaged").read_bytes() == b"damaged"
        assert set_aside(store) == []


def test_a_refused_merge_leaves_what_is_there_as_it_was(folder: str, tmp_path: Path) -> None:
    (part,) = parts_of(tmp_path, options_of(UNBINDING, schedules=20), 1)
    before = sorted((Path(folder) / FINDINGS).iterdir())
    result = call("campaign", "merge", folder, str(part))
    assert result.stderr.endswith("it holds one already (see `campaign status`); name another directory\n")
    assert sorted((Path(folder) / FINDINGS).iterdir()) == before


def test_only_parts_of_one_campaign_are_merged(tmp_path: Path) -> None:
    one, two = parts_of(tmp_path, options_of(UNBINDING, params=["drain=full"]), 2)
    (other, _) = parts_of(tmp_path / "other", options_of(UNBINDING, params=["drain=full"], seed=1), 2)
    (third, *_) = parts_of(tmp_path / "third", options_of(UNBINDING, params=["drain=full"]), 3)
    out = str(tmp_path / "merged")
    for parts, message in [
        ((one, one), f"merge {one}: part 1/2, as is {one}; each part counts once"),
        ((one, other), f"merge {other}: its options differ from those of {one}"),
        ((two, third), f"merge {third}: it is a part of 3, {two} one of 2"),
    ]:
        result = call("campaign", "merge", out, *map(str, parts))
        assert (result.exit_code, result.stderr) == (Exit.USAGE, f"stopmarker: {message}\n")
        assert not Path(out).exists()


def test_a_campaign_whose_scenario_changed_is_not_resumed(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text((Path(__file__).parent / "mortal.py").read_text())
    with begin(tmp_path / "c", options_of(f"{file}::mortal", params=["kills=never"])) as store:
        conducted(store)
    file.write_text(file.read_text() + "# changed\n")
    resumed = start("campaign", "resume", str(tmp_path / "c"))
    _, said = resumed.communicate(timeout=60)
    assert resumed.returncode == Exit.USAGE
    assert "a scenario or a model was changed since it began" in said


def test_a_canary_that_does_not_fail_is_an_error_of_the_tool(tmp_path: Path) -> None:
    safe = Cell(scenario="mm-pin", params=(("pin", "grab"),), strategy="walk", size=20)
    begin(tmp_path, options_of(UNBINDING, canary=safe)).close()
    result = call("campaign", "resume", str(tmp_path))
    assert result.exit_code == Exit.INTERNAL
    assert "the canary mm-pin pin=grab [walk] must fail and did not" in result.stderr
    assert call("campaign", "status", str(tmp_path)).exit_code == Exit.INTERNAL


def test_a_scheduler_without_dask_is_a_mistake() -> None:
    with pytest.raises(Refusal, match="--scheduler tcp://x: only the Dask engine has one; add --engine dask"):
        make_engine("local", 1, "tcp://x")


def test_a_wrong_campaign_command_is_told_the_nearest() -> None:
    assert "Did you mean 'status'?" in call("campaign", "statsu").stderr
    assert sorted(cli.commands["campaign"].commands) == [  # type: ignore[attr-defined]
        "export",
        "findings",
        "merge",
        "resume",
        "show",
        "start",
        "status",
    ]


def test_a_start_without_a_worker_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    for arguments, message in [
        (("--strategy", "wlak"), "strategy 'wlak'; did you mean 'walk'"),
        (("--shard", "3/2"), "shard '3/2': expected k/N"),
        (("--budget", "8"), "budget '8': expected a number above 0 with a unit"),
        (("-p", "way=qiet"), "did you mean 'quiet'"),
        (("all", "mm-pim"), "no scenario 'mm-pim'"),
    ]:
        result = call("campaign", "start", str(tmp_path / "c"), ENDING, *arguments)
        assert result.exit_code == Exit.USAGE
        assert message in result.stderr
        assert not (tmp_path / "c").exists()


def test_no_directory_is_not_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("start", "", "mm-pin"), ("resume", ""), ("merge", "", "part")):
        result = call("campaign", *command)
        assert result.exit_code == Exit.USAGE
        assert "Invalid value for 'DIR': it is empty; `.` means the current directory" in result.stderr
    assert not any(tmp_path.iterdir())


def test_set_aside_is_empty_where_all_went_well(folder: str) -> None:
    with open_to_read(Path(folder)) as store:
        assert set_aside(store) == []
