"""Scenarios about the drain: page requests that are still on their way when a PASID is unbound, and their answers.

A scenario belongs here if what goes wrong is that a request or a response outlives its binding. Its verdict table
stands beside it.
"""
