"""Search over schedules: one loop, many strategies, and what to do with a failing schedule.

`search` is the loop. What knows a scenario by name, a file, a terminal or a process does not belong here.
"""
