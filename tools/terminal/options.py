"""The options that several commands have, and what becomes of them before a command sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def common(command: Command) -> Command:
    """The options that every command has."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Log what happens on stderr."),
        click.option("--color/--no-color", default=None, help="Colour; else NO_COLOR, FORCE_COLOR, terminal decide."),
        click.option("--json", "as_json", is_flag=True, help="One versioned JSON document on stdout."),
    ):
        command = option(command)
    return command


def params(command: Command) -> Command:
    """`-p`."""
    decorated: Command = click.option(
        "-p", "--param", multiple=True, metavar="NAME=VALUE", help="A parameter of the scenario; repeatable."
    )(command)
    return decorated


_OF_C = ("tree", "steps", "missing", "setup", "thread", "interrupt", "worker", "after", "check")


def c_actors(command: Command) -> Command:
    """What stands for a scenario where SCENARIO is a file of C, or some with commas between."""
    for name, form, text in (
        ("check", "FUNCTION", "Of C: must return 0 when all are done."),
        ("after", "ACTOR:ACTOR", "Of C: the first begins when the second has ended."),
        ("interrupt", "NUMBER", "Of C: an interrupt that comes once."),
        ("steps", "NUMBER", "Of C: most steps of a run, instead of 20,000."),
        ("missing", "FUNCTION[:NUMBER]", "Of C: what no file defines only returns that number, or 0."),
        ("tree", "PATH", "Of C: a kernel's source tree, or its installed headers."),
        ("worker", "QUEUE", "Of C: serves the work queue of that name."),
        ("thread", "FUNCTION[:NUMBER,...]", "Of C: is an actor."),
        ("setup", "FUNCTION[:NUMBER,...]", "Of C: is called before the race."),
    ):
        command = click.option(f"--{name}", multiple=True, metavar=form, help=f"{text} Repeatable.")(command)
    return command


def _model(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Whether there are such models is the scenario's to say; the option had another meaning once."""
    if value and value[-1:] in "KMGT" and value[:-1].isdigit():
        raise click.BadParameter(f"{value!r} is a size; how much it may hold is --memory-limit", ctx, param)
    return value


def memory(command: Command) -> Command:
    """What stands for `-p memory=…`."""
    decorated: Command = click.option(
        "--memory",
        metavar="sc|tso|arm",
        callback=_model,
        help="What stores and loads of CPUs may do.  [default: the scenario's, else sc]",
    )(command)
    return decorated


def with_memory(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with the memory model among the parameters, which recordings keep."""
    model = options.pop("memory")
    return options if model is None else {**options, "param": (*options["param"], f"memory={model}")}


def limit(command: Command) -> Command:
    """How much a process may hold."""
    decorated: Command = click.option(
        "--memory-limit",
        metavar="SIZE",
        default="4G",
        show_default=True,
        help="What this process, and each of its workers, may hold: 512M, 4G, none.",
    )(command)
    return decorated


def audit(command: Command) -> Command:
    """`--audit`."""
    decorated: Command = click.option(
        "--audit",
        is_flag=True,
        help="Compare what steps touch with what they declare, also in another order (replay: run --audit).",
    )(command)
    return decorated


def races(command: Command) -> Command:
    """`--races`."""
    decorated: Command = click.option(
        "--races",
        type=click.Choice(["default", "strict", "ignore"]),
        default="default",
        show_default=True,
        help="Of C: which data races are told beside what is found.",
    )(command)
    return decorated


def c_race(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with those about C in the scenario's name: so a trace that names it can be replayed."""
    given = {kind: options.pop(kind) for kind in _OF_C}
    parts = ";".join(f"{kind}={value}" for kind, values in given.items() for value in values)
    if not parts:
        return options
    name = options["scenario"]
    if not str(name).endswith(".c"):
        raise click.UsageError(f"{', '.join(f'--{kind}' for kind in _OF_C)} are for a file of C, found {name!r}")
    for tree in given["tree"]:  # a file that is not here is the tree's
        files = [(Path(file), Path(tree, file)) for file in str(name).split(",")]
        name = ",".join(str(its if its.exists() and not file.exists() else file) for file, its in files)
    return {**options, "scenario": f"{name}::{parts}"}


trust = click.option("--trust", is_flag=True, help="Run the scenario file that it names, though you never ran it.")


def recorded(command: Command) -> Command:
    """A recording names the file that is run for it; it may come from a stranger."""
    named = click.option("--scenario", metavar="./file.py::name", help="Run this one, whatever file it names.")
    return trust(named(command))
