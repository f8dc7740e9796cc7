"""Closed worlds, each on one screen. A family of scenarios has a folder, in which each stands beside its verdicts.

`boards` are what several of them begin with, `oracles` what must hold, `witnesses` what must be seen. A scenario makes
no rule and no flow of its own; `catalogue` knows all of them by name.
"""
