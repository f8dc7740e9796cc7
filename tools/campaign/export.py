"""Findings for other tools: JUnit XML, with a test case for each cell; SARIF 2.1.0, with a result for each bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from xml.etree import ElementTree

from actors.runtime.primitives.events import Outcome
from scenarios import catalogue

from .. import __version__
from ..terminal.counting import counted
from .store import CampaignStore
from .views import DistinctFinding, FilledBucket, groups, set_aside

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def junit(store: CampaignStore) -> str:
    """JUnit XML: a suite for each scenario; a case fails with its shortest finding, and errs if it was set aside."""
    cells = store.run(
        "SELECT cells.*, sum(seconds) AS seconds, sum(schedules) AS schedules, sum(state = 'quarantined') AS aside "
        "FROM cells LEFT JOIN shards USING (cell) WHERE cell > 0 GROUP BY cell ORDER BY cell"
    ).fetchall()
    found = [finding for group in groups(store) for finding in group.findings]
    root = ElementTree.Element("testsuites", name="stopmarker")
    suites: dict[str, ElementTree.Element] = {}
    for row in cells:
        suite = suites.get(row["family"])
        if suite is None:
            suite = suites[row["family"]] = ElementTree.SubElement(root, "testsuite", name=_text(row["family"]))
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_text(row["family"]),
            name=_text(row["label"]),
            time=f"{row['seconds'] or 0.0:.3f}",
        )
        for finding in [one for one in found if row["label"] in one.cells]:
            tag = "error" if finding.outcome == Outcome.ERROR else "failure"
            failure = ElementTree.SubElement(
                case, tag, type=_text(finding.bucket.oracle), message=_text(finding.message)
            )
            failure.text = _text(f"{finding.bucket.reason}\n{finding.rerun}\n")
        if row["aside"]:
            ElementTree.SubElement(
                case, "error", type="set aside", message=f"{counted(row['aside'], 'shard')} could not be run"
            )
        elif not row["schedules"]:
            ElementTree.SubElement(case, "skipped", message="not run")
    for suite in (root, *suites.values()):
        suite.set("tests", str(len(suite.findall(".//testcase"))))
        suite.set("failures", str(len(suite.findall(".//testcase[failure]"))))
        suite.set("errors", str(len(suite.findall(".//testcase[error]"))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def sarif(store: CampaignStore) -> str:
    """SARIF 2.1.0: the oracles are the rules."""
    found = groups(store)
    rules = sorted({group.bucket.oracle for group in found})
    driver = {
        "name": "stopmarker",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": rule.replace("-", " ")}} for rule in rules],
    }
    aside = [{"level": "error", "message": {"text": f"{one.what}: {one.reason}"}} for one in set_aside(store)]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not aside, "toolExecutionNotifications": aside}],
        "results": [_result(group, rules) for group in found],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(group: FilledBucket, rules: Sequence[str]) -> dict[str, object]:
    one = group.shortest
    return {
        "ruleId": group.bucket.oracle,
        "ruleIndex": rules.index(group.bucket.oracle),
        "level": "error",
        "message": {"text": f"{one.message}\n{group.bucket.sentence}\n{one.rerun}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _source(group.bucket.family)}},
                "logicalLocations": [{"fullyQualifiedName": f"{group.bucket.family}: {step}"} for step in _steps(one)],
            }
        ],
        "partialFingerprints": {"happensBefore/v1": one.exact},
        "occurrenceCount": max(group.count, 1),
        "properties": {"params": dict(one.params), "steps": one.steps, "trace": one.file},
    }


def _steps(finding: DistinctFinding) -> list[str]:
    return [step for step in finding.bucket.pair if step] or [finding.bucket.oracle]


def _source(family: str) -> str:
    """Where a scenario is written."""
    module = catalogue.MODULES.get(family)
    return family.partition("::")[0] if module is None else module.replace(".", "/") + ".py"


def _text(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("�", text)
