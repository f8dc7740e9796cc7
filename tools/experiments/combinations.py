"""Combinations of parameters: those for which a scenario states a verdict, or the product of named values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from loguru import logger

from actors.c.compiler import why_not
from actors.runtime.runs.schedule import ParamValue
from scenarios import catalogue
from scenarios.scenario import MEMORY

from .experiment import find_scenario, parse_params

ALL = "all"
"""Stands for all shipped scenarios, as no name does."""


def scenario_names(scenarios: Sequence[str]) -> Sequence[str]:
    """The scenarios that are meant, each once; none, or `all` among others, means all shipped ones."""
    named = [every for name in scenarios or (ALL,) for every in (_shipped() if name == ALL else (name,))]
    return tuple(dict.fromkeys(named))


def _shipped() -> Sequence[str]:
    """All shipped scenarios; those in C are left out, and that is said, where C cannot be compiled."""
    reason = why_not()
    if reason:
        logger.warning(f"the scenarios in C are left out: {reason}")
    return [name for name in catalogue.MODULES if not (reason and name in catalogue.IN_C)]


def combinations(name: str, params: Sequence[str]) -> Iterator[Mapping[str, ParamValue | str]]:
    """Of texts such as `drain=none,full` all combinations; without any, those for which the scenario states a verdict.

    A scenario that states none has its defaults. The memory model is no variant: given alone, all have it.
    Refusal for a text that is no name with values; whether the scenario knows them is not looked at.
    """
    given = {key: list(dict.fromkeys(text.split(","))) for key, text in parse_params(params).items()}
    models = [{MEMORY: model} for model in given.pop(MEMORY, ())] or [{}]
    rows: list[Mapping[str, ParamValue | str]] = [{}]
    if given:
        rows = [dict(zip(given, values, strict=True)) for values in product(*given.values())]
    elif expected := find_scenario(name)[1].expected:
        rows = [row.params for row in expected]
    yield from ({**row, **model} for model in models for row in rows)
