"""Scenarios about devices that are reset, blocked, stopped or pulled out.

A scenario belongs here if what goes wrong begins with what the device hears, or does not hear any more. Its verdict
table stands beside it.
"""
