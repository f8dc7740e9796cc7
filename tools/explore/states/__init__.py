"""Search by states instead of orders: all states of a world that has finitely many, and its circles that are fair.

Nothing is left out here because steps commute: what never ends shows only in the states that come back.
"""
