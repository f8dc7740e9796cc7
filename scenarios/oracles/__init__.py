"""What must hold: one property a file, the file name is the theorem. Oracles read events and nothing else.

An oracle raises a violation. What some run has to reach, and what violates nothing, belongs to `scenarios.witnesses`.
"""
