"""The bench runs tiny in the test suite, so that it does not rot; nothing here is timed."""

from __future__ import annotations

from click.testing import CliRunner

from tools.bench import scenarios
from tools.bench.engine import main


def test_the_bench_prints_rates_memory_the_known_counts_and_a_digest() -> None:
    runs = [CliRunner().invoke(main, ["tests/models.py::pri_window", "--quick"]) for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    digests = [run.stdout.splitlines()[-1] for run in runs]
    assert digests[0].startswith("digest ")
    assert digests[0] == digests[1]
    text = runs[0].stdout
    assert "ratio" in text
    (base,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["BASE"]]
    (hard,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["HARD"]]
    assert (base[5:7], hard[5:7]) == (["20", "2"], ["42", "2"])
    assert "unbind-window (stop=A), 10 traces\n" in text
    assert "resident BASE" in text
    assert "resident HARD" in text


def test_the_bench_of_scenarios_proves_what_it_walks() -> None:
    run = CliRunner().invoke(scenarios.main, ["--quick"])
    assert run.exit_code == 0
    head, *rows = run.stdout.splitlines()
    assert head.split()[:3] == ["scenario", "steps", "walk/s"]
    assert [(row.split()[0], row.split()[-4:-2]) for row in rows] == [
        ("unbind-window", ["holds", "481"]),
        ("flr-tags", ["holds", "99"]),
    ]
