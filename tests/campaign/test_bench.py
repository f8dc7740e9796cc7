"""The bench of campaigns runs tiny here, so that it does not rot; nothing is timed."""

from __future__ import annotations

from tools.bench.campaign import QUICK, lines, measure


def test_the_bench_prints_both_ratios_and_a_digest() -> None:
    printed = lines(measure(QUICK))
    assert [line.split()[-2:] for line in printed[:2]] == [["is", "wanted)"], ["is", "wanted)"]]
    assert "over the bare search (less than +5 % is wanted)" in printed[0]
    assert "times as fast on two workers (at least 1.80 is wanted)" in printed[1]
    assert printed[2].startswith("                digest ")
