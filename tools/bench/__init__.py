"""Measurements: how fast the engine, the scenarios and a campaign are, and how soon a strategy finds what is there.

Each module is a command of its own and prints a digest of what it computed. Nothing else imports this folder, except
the tests that run it small.
"""
