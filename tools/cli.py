"""The command line: its commands and options. What a command does stands in `tools.commands`, imported only when it
runs.

Nothing heavy is imported here, so that `--help` and completion take no longer than click itself.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from . import __version__
from .terminal.exits import Exit, Refusal
from .terminal.options import (
    Command,
    audit,
    c_actors,
    c_race,
    common,
    limit,
    memory,
    params,
    races,
    recorded,
    trust,
    with_memory,
)
from .terminal.output import Output
from .terminal.printable import one_line, printable

_EXIT_CODES = """Exit codes: 0 nothing violated, 1 violated (also deadlock, step bound), 2 usage (also a scenario
file that cannot be loaded), 3 internal error, 4 diverged (a replay, or two runs of one schedule), 5 nothing selected,
6 inconclusive (a budget ended, or a witness was never reached), 7 the model is in error (an exception in an actor or in
the scenario function, a step that touches what it does not declare, an actor that takes no step), 130 Ctrl-C or
SIGTERM. Where something is violated and the model is in error as well, both are said, and the code is 1."""
_SCENARIO_HELP = """SCENARIO is a shipped one (see `stopmarker list`) or your own, ./file.py::name, or
driver.c with --thread."""


class Commands(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; a usage error with the nearest one otherwise."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.commands, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stopmarker")
def cli() -> None:
    """Find, show and replay the races of IOMMU Shared Virtual Addressing teardown."""


@cli.command("list")
@click.argument("scenario", required=False)
@common
def list_(**options: Any) -> None:
    """List the scenarios, or the parameters and expected verdicts of one."""
    _act("listing", **options)


@cli.command(epilog=_SCENARIO_HELP)
@click.argument("scenario")
@params
@c_actors
@click.option("--seed", type=click.IntRange(min=0), help="A random order of steps.")
@click.option("--schedule", metavar="TOKEN", help="Recorded choices, as printed with every run.")
@audit
@click.option("--live", is_flag=True, help="Let Trio decide who goes; the run is recorded and replays under control.")
@memory
@limit
@click.option("--threads", is_flag=True, help="With --live: each actor in an OS thread of its own, one lock a step.")
@common
def run(**options: Any) -> None:
    """Run once and draw the ladder; without an option, in the plain order."""
    _act("run", **with_memory(c_race(options)))


@cli.command(epilog=_SCENARIO_HELP)
@click.argument("scenario")
@params
@c_actors
@click.option("--schedules", type=click.IntRange(min=1), help="How many schedules.  [default: 10000]")
@click.option("--budget", metavar="TIME", help="How long: 60s, 2m, 8h.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Where chance begins.")
@click.option(
    "--strategy", metavar="NAME", default="portfolio", show_default=True, help="How to search; a wrong name lists them."
)
@audit
@click.option("--no-shrink", is_flag=True, help="Show findings as they were found.")
@click.option(
    "-o", "--output", metavar="DIR", default="findings", show_default=True, help="Where trace files are written."
)
@click.option("--keep-going", is_flag=True, help="Do not stop at the first violation; keep each distinct one.")
@races
@memory
@limit
@common
def fuzz(**options: Any) -> None:
    """Hunt; stop at the first violation, shrink it, draw it, and keep its trace."""
    _act("fuzz", **with_memory(c_race(options)))


@cli.command(epilog=_SCENARIO_HELP)
@click.argument("scenario", required=False)
@params
@c_actors
@click.option("--bound", type=click.IntRange(min=1), help="Prove it of all runs of at most so many steps.")
@click.option("--budget", metavar="TIME", default="10m", show_default=True, help="How long: 60s, 2m, 8h.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--keep-going", is_flag=True, help="Count all failing schedules instead of stopping at the first.")
@races
@click.option("--checkpoint", metavar="FILE", help="Write what is left to do here.")
@click.option("--resume", "resume_file", metavar="FILE", help="Continue a checkpoint; it says what is proved.")
@trust
@click.option(
    "-o", "--output", metavar="DIR", default="findings", show_default=True, help="Where trace files are written."
)
@memory
@limit
@common
def prove(**options: Any) -> None:
    """Try every inequivalent schedule: HOLDS with its bounds, or the shortest counterexample."""
    _act("prove", **with_memory(c_race(options)))


@cli.command()
@click.argument("what", metavar="FILE|TOKEN", nargs=-1, required=True)
@click.option("--step", type=click.IntRange(min=0), help="Show the state of the world before this step instead.")
@limit
@recorded
@common
def replay(**options: Any) -> None:
    """Make a recorded run again; a trace file is compared byte for byte."""
    _act("replay", **options)


@cli.command()
@click.argument("what", metavar="FILE|TOKEN", nargs=-1, required=True)
@click.option("--budget", metavar="TIME", default="60s", show_default=True, help="How long: 60s, 2m, 8h.")
@memory
@limit
@recorded
@common
def explain(**options: Any) -> None:
    """Say why a recorded run fails: the orderings it needs, found by experiments, and the nearest run that passes."""
    _act("explain", **options)


@cli.command(epilog=f"{_SCENARIO_HELP} None, or `all`, means all shipped ones.")
@click.argument("scenarios", metavar="[SCENARIO]...", nargs=-1)
@click.option(
    "-p",
    "--param",
    multiple=True,
    metavar="NAME=VALUE,...",
    help="Values of a parameter; all combinations are proved.  [default: those with an expected verdict]",
)
@click.option("--eras", is_flag=True, help="The scenarios whose variants are kernels of different times.")
@click.option("--bound", type=click.IntRange(min=1), help="Most steps in a run.  [default: the scenario's]")
@click.option("--budget", metavar="TIME", default="60s", show_default=True, help="How long for each row: 60s, 2m, 8h.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes.")
@click.option("--keep-going", is_flag=True, help="Count all failing schedules instead of stopping at the expected one.")
@memory
@limit
@common
def matrix(**options: Any) -> None:
    """Prove many combinations: one table of verdicts, and whether they are the expected ones."""
    _act("matrix", **with_memory(options))


@cli.group(cls=Commands)
def campaign() -> None:
    """Hunt for hours in many scenarios at once: survives kill -9, resumes, keeps each finding once."""


def _named(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """An empty text, such as a variable that is not set, would mean the current directory."""
    if not value:
        raise click.BadParameter("it is empty; `.` means the current directory", ctx, param)
    return value


_DIRECTORY = click.argument("directory", metavar="DIR", callback=_named)
_WHERE = (
    click.option("-j", "--jobs", type=click.IntRange(1, 256), help="Worker processes.  [default: one a core]"),
    click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler.  [default: a cluster on this machine]"),
)


def _where(command: Command) -> Command:
    """The options about where a campaign runs."""
    for option in _WHERE:
        command = option(command)
    return command


@campaign.command("start", epilog=f"{_SCENARIO_HELP} None, or `all`, means all shipped ones.")
@_DIRECTORY
@click.argument("scenarios", metavar="[SCENARIO]...", nargs=-1)
@click.option(
    "-p",
    "--param",
    multiple=True,
    metavar="NAME=VALUE,...",
    help="Values of a parameter; all combinations are run.  [default: those with an expected verdict]",
)
@click.option(
    "--strategy", metavar="NAME,...", multiple=True, default=["portfolio"], show_default=True, help="How to search."
)
@click.option("--schedules", type=click.IntRange(min=1), help="How many in each combination.  [default: 10000]")
@click.option("--budget", metavar="TIME", help="How long: 60s, 2m, 8h; resumes do not count anew.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Where chance begins.")
@click.option("--size", type=click.IntRange(min=1), help="Schedules in a shard.  [default: about a second's]")
@click.option("--shard", metavar="k/N", default="1/1", show_default=True, help="Only this part, for a job array.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True)
@_where
@memory
@limit
@common
def campaign_start(**options: Any) -> None:
    """Begin a campaign in DIR, and run it."""
    _act("campaign_start", **with_memory(options))


@campaign.command("resume")
@_DIRECTORY
@click.option("--engine", type=click.Choice(["local", "dask"]), help="[default: as before]")
@trust
@_where
@limit
@common
def campaign_resume(**options: Any) -> None:
    """Go on with a campaign that was stopped or killed; it needs no option."""
    _act("campaign_resume", **options)


@campaign.command("status")
@_DIRECTORY
@common
def campaign_status(**options: Any) -> None:
    """How it goes: speed, coverage, findings, what may be left."""
    _act("campaign_status", **options)


@campaign.command("findings")
@_DIRECTORY
@common
def campaign_findings(**options: Any) -> None:
    """What it found, each with the command that runs it again."""
    _act("campaign_findings", **options)


@campaign.command("show")
@_DIRECTORY
@click.argument("finding", required=False)
@common
def campaign_show(**options: Any) -> None:
    """Draw one finding; FINDING is the beginning of its number in the list."""
    _act("campaign_show", **options)


@campaign.command("merge")
@_DIRECTORY
@click.argument("parts", metavar="PART...", nargs=-1, required=True)
@common
def campaign_merge(**options: Any) -> None:
    """Make one campaign in DIR of the parts of a job array."""
    _act("campaign_merge", **options)


@campaign.command("export")
@_DIRECTORY
@click.option("--format", "form", type=click.Choice(["junit", "sarif"]), required=True)
@click.option("-o", "--output", metavar="FILE", help="Write it here.  [default: stdout]")
@common
def campaign_export(**options: Any) -> None:
    """Its findings for other tools: JUnit XML or SARIF 2.1.0."""
    _act("campaign_export", **options)


@cli.command()
@click.argument("file")
@click.option("--style", type=click.Choice(["ladder", "columns", "list"]), default="ladder", show_default=True)
@click.option("--all", "every", is_flag=True, help="Every step, not only those with events.")
@click.option("--diff", "other", metavar="OTHER", help="Beside another trace file, with the first difference marked.")
@common
def show(**options: Any) -> None:
    """Draw a trace file; nothing is run."""
    _act("show", **options)


@cli.command()
@click.argument("log", metavar="LOG|-")
@common
def decode(**options: Any) -> None:
    """Say what a log of dmesg or ftrace holds: every record of an IOMMU in its fields, and what it rules out."""
    _act("decode", **options)


@cli.command()
@click.argument("what", metavar="LOG|-|WORDS", nargs=-1, required=True)
@common
def which(**options: Any) -> None:
    """Name the scenarios whose failing runs leave what a log shows, or an event or fault reason by its name."""
    _act("which", **options)


def _act(
    body: str, *, as_json: bool, color: bool | None, verbose: bool, memory_limit: str = "none", **options: Any
) -> NoReturn:
    """Run the body of a command and leave with its exit code; no traceback ever reaches the user."""
    out = Output(as_json, color)
    try:
        import_module("tools.terminal.log").configure(verbose)
        code: int = import_module("tools.terminal.conduct").conduct(body, out, memory_limit, options)
    except Refusal as refusal:
        code = refusal.code
        _say(out, code, one_line(str(refusal)) if code == Exit.USAGE else str(refusal))
    except KeyboardInterrupt as interrupt:
        code = Exit.INTERRUPTED
        done = f" after {interrupt}" if str(interrupt) else ""
        click.echo(f"stopmarker: interrupted{done}", err=True)
    except BrokenPipeError:
        out.silence()  # whoever read stdout has gone (`| head`)
        code = Exit.BROKEN_PIPE
    except Exception as error:
        code = Exit.INTERNAL
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        import_module("tools.terminal.log").logger.opt(exception=True).debug("internal error")
        _say(out, code, f"internal error: {reason} (-v shows where; please report it)")
    click.get_current_context().exit(code)


def _say(out: Output, code: int, message: str) -> None:
    click.echo(f"stopmarker: {printable(message)}", err=True)
    verdict = {"verdict": "error"} if code == Exit.ERROR else {}
    out.document("error", {"exit_code": int(code), **verdict, "message": message})


def main() -> None:
    """The console command."""
    if sys.stderr is None:  # closed (`2>&-`)
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        click.echo("stopmarker: stdout is closed, so a result has nowhere to go; `> /dev/null` drops it", err=True)
        sys.exit(Exit.USAGE)
    cli(prog_name="stopmarker")
