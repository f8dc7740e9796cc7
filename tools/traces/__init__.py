"""Recorded runs: what a trace holds, its file format, and how it is made again.

Whoever reads or writes a trace file goes through here; drawing one belongs to `tools.show`.
"""
