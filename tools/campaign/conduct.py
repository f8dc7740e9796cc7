"""A session of a campaign as a command runs it: the engine, progress on stderr, Ctrl-C, and what it came to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from importlib import import_module

from ..explore.search import Report
from ..terminal.counting import counted
from ..terminal.display import progress
from ..terminal.exits import Exit, Refusal
from ..terminal.interrupt import StopRequest
from ..terminal.output import Output
from ..terminal.progress import Progress
from .campaign import CampaignRun
from .store import CampaignStore
from .telling import campaign_document, failing_line, findings_lines, status_line
from .views import is_over, status, verdict
from .work import Engine
from .workers import Workers

_LOG_GROWS = 1.02


def make_engine(engine: str, jobs: int, scheduler: str | None) -> Engine:
    """The engine of that name; Refusal if it is not installed or its scheduler is not there."""
    if engine != "dask":
        if scheduler is not None:
            raise Refusal(f"--scheduler {scheduler}: only the Dask engine has one; add --engine dask")
        return Workers(jobs)
    try:
        cluster = import_module("tools.campaign.cluster")
    except ModuleNotFoundError as missing:
        raise Refusal(f"--engine dask: {missing.name} is not installed; pip install 'stopmarker[cluster]'") from None
    made: Engine = cluster.connect(jobs, scheduler)
    return made


def conduct(out: Output, store: CampaignStore, engine: Engine, stop: StopRequest) -> Exit:
    """Run until the end, and say what was found; KeyboardInterrupt, with how to go on, after Ctrl-C."""
    folder = store.folder

    def line(report: Report) -> str:
        return status_line(replace(status(store), seconds=report.seconds))

    with closing(progress(line)) as display:
        session = CampaignRun(store, engine, stop, _less_and_less(display))
        session.run()
    display.end(Report(seconds=session.seconds))
    word, code = verdict(store)
    out.document("campaign", campaign_document(store))
    out.lines(findings_lines(store))
    if session.interrupted or (not is_over(store) and stop.requested):
        raise KeyboardInterrupt(f"{session.seconds:.0f} s; continue: {store.resumption}")
    out.lines([_summary(store, word)])
    if code is Exit.INTERNAL:
        raise CanaryPasses(
            f"campaign {folder}: the canary {store.options.canary.label} must fail and did not, so nothing "
            "that this campaign says can be trusted"
        )
    return code


def _less_and_less(display: Progress) -> Callable[[float], None]:
    """Shows progress: every second to a terminal; to a log ever more rarely, or a night would fill it."""
    due = 0.0

    def show(seconds: float) -> None:
        nonlocal due
        if seconds >= due or sys.stderr.isatty():
            due = seconds * _LOG_GROWS
            display.show(Report(seconds=seconds))

    return show


class CanaryPasses(Refusal):
    """A scenario that must fail does not: the machinery is broken."""

    code = Exit.INTERNAL


def _summary(store: CampaignStore, word: str) -> str:
    now = status(store)
    ran = f"{counted(now.schedules, 'schedule')} in {counted(now.shards.get('done', 0), 'shard')}"
    match word:
        case "violated" | "error":
            return failing_line(now, ran)
        case "not found":
            every = " Every behaviour of every cell was seen." if now.complete == now.cells else ""
            return f"Nothing violated in {ran}.{every or ' A search that ended, not a proof.'}"
        case "incomplete":
            return f"Nothing violated in {ran}, but some shards could not be run."
    return f"{word.capitalize()}: {ran}."
