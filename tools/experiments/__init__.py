"""What is to be run: a scenario with its parameters, the terms of a search, combinations, strategies by name.

The words of the command line become objects here; what is done with them does not belong here.
"""
