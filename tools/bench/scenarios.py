"""How fast the larger scenarios are walked and proved, with either IOMMU: a line each.

Goals: the ratio of a random walk to a bare loop of the same run, and the time of a whole proof under default bounds
(under a minute each). No goal: the engine on small models, which `tools.bench.engine` measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import click
import trio

from ..experiments.experiment import Experiment, open_experiment
from ..experiments.terms import Terms
from ..searches.proof import Proof
from ..terminal.interrupt import StopRequest
from .engine import ceiling, search
from .models import columns

ROWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("unbind-window", {"drain": "full"}),
    ("unbind-window", {"drain": "full", "iommu": "vtd"}),
    ("unbind-window", {"drain": "full", "memory": "tso"}),
    ("unbind-window", {"drain": "full", "memory": "arm"}),
    ("attach-vs-share-asid", {"attach": "A1"}),
    ("attach-vs-share-asid", {"attach": "A2"}),
    ("exit-window", {"fpd": "right", "order": "O5"}),
    ("flr-tags", {"drain": "after"}),
)
_QUICK = (1, 7)
_HEAD = ("scenario", "steps", "walk/s", "to bare loop", "verdict", "traces", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One scenario."""

    name: str
    steps: float
    """Of a run, in the mean."""
    walk: float
    """Schedules a second of a random walk."""
    ratio: float
    proof: Proof

    def cells(self) -> tuple[str, ...]:
        """The cells of its row."""
        report = self.proof.report
        speed = (f"{self.steps:.0f}", f"{self.walk:,.0f}", f"{self.ratio:.2f}")
        return (self.name, *speed, self.proof.verdict, f"{report.schedules:,}", f"{report.seconds:.1f} s")


def measure(experiment: Experiment, given: dict[str, str], schedules: int) -> Line:
    """Walk, then prove."""
    walked = trio.run(search, experiment, schedules, 0)
    report, rates = walked.report, sorted(walked.rates)
    mean, rate = report.steps / report.schedules, rates[len(rates) // 2]
    bare = trio.run(ceiling, walked.actors, max(round(mean / walked.actors), 1), schedules)
    proof = Proof(Terms(experiment.name, tuple(experiment.params.items())))
    proof.run(float("inf"), 1, lambda _: None, StopRequest())
    told = " ".join([experiment.name, *(f"{name}={value}" for name, value in given.items())])
    return Line(name=told, steps=mean, walk=rate / mean, ratio=rate / bare, proof=proof)


@click.command()
@click.option("--quick", is_flag=True, help="Two rows, to see that it works; the figures mean nothing.")
def main(quick: bool) -> None:
    """Measure and print a table."""
    rows = [ROWS[row] for row in _QUICK] if quick else ROWS
    lines = [measure(open_experiment(name, dict(given)), given, 20 if quick else 5_000) for name, given in rows]
    click.echo("\n".join(columns([_HEAD, *(line.cells() for line in lines)])))


if __name__ == "__main__":
    main()
