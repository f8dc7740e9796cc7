"""Closed worlds on one screen each: a folder a family, and in it each scenario beside what it must come to.

`boards` are what several of them begin with, `oracles` what must hold, `witnesses` what must be seen. A scenario makes
no rule and no flow of its own; `catalogue` knows all of them by name.
"""
