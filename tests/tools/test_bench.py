"""The bench runs tiny in the test suite, so that it does not rot; nothing here is timed."""

from __future__ import annotations

from click.testing import CliRunner

from tools.bench import main


def test_the_bench_prints_rates_memory_and_a_digest() -> None:
    runs = [CliRunner().invoke(main, ["tests/models.py::pri_window", "--schedules", "50"]) for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    digests = [run.stdout.splitlines()[-1] for run in runs]
    assert digests[0].startswith("digest ")
    assert digests[0] == digests[1]
    assert "ratio" in runs[0].stdout
