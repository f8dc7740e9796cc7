"""Searches as commands make them: a hunt, a proof on several processes with its checkpoints, a table of proofs.

Budgets, interruptions and processes belong here; which schedule comes next is decided in `tools.explore`.
"""
