"""Everything that runs worlds rather than being in one: command line, searches, traces, renderers, campaigns, bench.

`cli` is the entry point, and nothing else lies beside the folders. What a model needs does not belong here.
"""

__version__ = "0.1.0"
