"""The entry writer in C beside the one in Python, on the same transitions under the same SMMU: both agree."""

from __future__ import annotations

from tests.scenarios.counts import Count, on_record


def test_of_the_hitless_writer_in_c_there_are_as_many_classes_as_of_the_one_in_python() -> None:
    def of(scenario: str, writer: str) -> dict[str, tuple[int | None, int | None]]:
        counts: dict[str, Count] = {row: count for (name, row), count in on_record().items() if name == scenario}
        return {
            row.removesuffix(writer): (count.schedules, count.failing)
            for row, count in counts.items()
            if row.endswith(writer)
        }

    in_c, in_python = of("c-entry-update", "writer=hitless"), of("entry-update", "writer=6.9")
    assert len(in_c) == 17
    assert in_c.items() <= in_python.items()
