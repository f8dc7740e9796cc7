"""Many proofs in a row, each beside what its scenario says it must come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from actors.runtime.runs.schedule import ParamValue
from scenarios.scenario import Expected

from ..experiments.combinations import combinations, scenario_names
from ..experiments.experiment import open_experiment
from ..experiments.terms import Terms
from ..traces.verdicts import EXITS
from .proof import Proof


@dataclass(slots=True, kw_only=True)
class MatrixRow:
    """One combination of one scenario; `given` are the parameters that tell it from its neighbours."""

    given: tuple[tuple[str, ParamValue], ...]
    expected: Expected | None
    proof: AwaitingProof

    @property
    def verdict(self) -> str:
        """What the search came to."""
        return self.proof.verdict

    @property
    def oracles(self) -> list[str]:
        """What broke, in the order in which it was met."""
        return list(dict.fromkeys(found.finding.oracle for found in self.proof.violations))

    @property
    def agrees(self) -> bool | None:
        """Whether that is what was expected; None if nothing was, or if the search is not over.

        Where nobody could say more than "not found", a search as long as theirs, or a proof, is as expected.
        """
        if self.expected is None or self.verdict == "holds up to the bound":
            return None
        if self.verdict == "not found":
            searched = self.expected.verdict == "not found" and self.proof.report.schedules >= self.expected.searched
            return True if searched else None
        if self.expected.verdict == "not found":
            return self.verdict == "holds"
        if self.verdict != self.expected.verdict:
            return False
        if self.verdict != "violated" or self.expected.oracle in self.oracles:
            return True
        return False if self.proof.report.complete else None

    @property
    def surprises(self) -> bool:
        """Something else than expected, or a violation or an error where nothing was."""
        return self.agrees is False or (self.expected is None and self.verdict in EXITS)


@dataclass(slots=True)
class AwaitingProof(Proof):
    """A proof that ends with the property that is expected to break, or with any if none is; or goes on to the end.

    Where "not found" is expected, it ends when as many schedules were searched as the table says.
    """

    awaited: str = ""
    searched: float = math.inf

    @property
    def over(self) -> bool:
        """Nothing is left to search, or what was looked for was found, or enough was searched."""
        found = [one for one in self.violations if one.finding.oracle == (self.awaited or one.finding.oracle)]
        is_enough = (bool(found) and not self.terms.keep_going) or self.report.schedules >= self.searched
        return self.share.done or is_enough


def rows_of(scenarios: Sequence[str], params: Sequence[str], bound: int | None, keep_going: bool) -> list[MatrixRow]:
    """The rows of a table, in order; Refusal for what no scenario knows."""
    rows = []
    for name in scenario_names(scenarios):
        for given in combinations(name, params):
            experiment = open_experiment(name, given)
            complete = experiment.scenario.complete
            expected = next(
                (one for one in experiment.scenario.expected if complete(one.params) == experiment.params), None
            )
            terms = Terms(experiment.name, tuple(experiment.params.items()), bound, keep_going)
            proof = AwaitingProof(terms)
            if expected is not None:
                proof.awaited, proof.searched = expected.oracle, expected.searched or math.inf
            shown = tuple((key, experiment.params.get(key, given[key])) for key in given)
            rows.append(MatrixRow(given=shown, expected=expected, proof=proof))
    return rows
