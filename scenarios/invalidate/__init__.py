"""Scenarios about invalidations: in which order caches forget, for which pages, and what if nobody answers.

A scenario belongs here if what goes wrong is that a translation outlives its page. Its verdict table stands beside it.
"""
