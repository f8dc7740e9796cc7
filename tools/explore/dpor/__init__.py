"""Optimal DPOR: one run for each class of runs that differ only in the order of independent steps.

Races, wakeup trees, the stack of a search and its cut into subtrees belong here; what is found on the way does not.
"""
