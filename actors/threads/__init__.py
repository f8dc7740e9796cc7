"""Kernel threads and processes: who runs which flow of `drivers`, and when.

A shell of a few lines belongs here; the flow itself belongs to `drivers`.
"""
