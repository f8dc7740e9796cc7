"""Scenarios about the end of a process: release, unbind, the life of PASIDs and of the objects that refer to them.

A scenario belongs here if what goes wrong is that somebody outlives the address space. Its verdict table stands beside
it.
"""
