"""What a command says and hears besides its result: output, progress, log, signals, exit codes.

How a trace is drawn belongs to `tools.show`.
"""
