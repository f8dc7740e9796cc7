"""Why a run fails: plans that can be reordered, shrinking, and the orderings that a failure needs.

What begins with one failing schedule belongs here; how it was found does not.
"""
