"""Everything that runs worlds rather than being in one: command line, runner, traces, renderers, bench."""

__version__ = "0.1.0"
