"""What is done with a failing run: it is shrunk, explained, kept and told apart from the others.

The algorithms are in `tools.explore.reasons`; this folder applies them to experiments, within budgets.
"""
