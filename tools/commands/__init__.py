"""The bodies of the commands, one a file; each is imported only when its command runs.

A body reads options, calls a folder beside this one, and says what came of it; what two commands need belongs there.
"""
