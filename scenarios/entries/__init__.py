"""Scenarios about entries in memory: STEs, CDs and PASID entries that are rewritten while hardware reads them.

A scenario belongs here if what goes wrong is which words a walker sees, or for whom. Its verdict table stands
beside it.
"""
