"""What some run must reach, else an experiment shows nothing; and goals, which are good to have seen.

A witness reads events and violates nothing. What must hold is an oracle, and belongs to `scenarios.oracles`.
"""
