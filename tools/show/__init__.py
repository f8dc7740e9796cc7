"""Renderers: a decoded trace as text for people; they read nothing else.

A new way to draw a run is a file here: a function from a trace to lines, with its name in `STYLES` of
`tools.commands.show` and in the option `--style` of `tools.cli`, which is read before anything else is imported.
Recording and replaying belong to `tools.traces`.
"""
