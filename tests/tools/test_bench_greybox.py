"""The comparison of strategies runs tiny in the test suite, so that it does not rot."""

from __future__ import annotations

from click.testing import CliRunner

from tools.bench.greybox import BenchRow, comparison, main


def test_a_table_a_summary_and_a_digest() -> None:
    arguments = ["mm-pin", "spinlock-alloc", "--seeds", "2", "--most", "20", "--strategy", "greybox"]
    runs = [CliRunner().invoke(main, arguments) for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    assert runs[0].stdout == runs[1].stdout
    lines = runs[0].stdout.splitlines()
    assert lines[0].split()[-2:] == ["walk", "greybox"]
    assert [line.split()[0] for line in lines[1:3]] == ["mm-pin", "spinlock-alloc"]
    assert [line.split()[0] for line in lines[4:]] == ["walk", "greybox", "digest"]


def test_what_was_not_found_counts_as_the_budget_and_is_said() -> None:
    counts = {"walk": [101, 101], "greybox": [10, 30]}
    row = BenchRow(name="a", counts=counts, most=100)
    easy = BenchRow(name="b", counts={"walk": [1, 1], "greybox": [2, 2]}, most=100)
    assert (row.cell("walk"), row.cell("greybox")) == ("101.0 +- 0.0 (2 of 2 not)", "20.0 +- 10.0")
    assert comparison([row, easy], "greybox") == (
        "greybox    geometric mean    6.3, found by all seeds in 2 of 2; to walk x 0.63 (0.20..2.00), "
        "fewer in 1, more in 1"
    )
