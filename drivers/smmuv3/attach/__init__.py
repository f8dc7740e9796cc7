"""Attaching a stream to a domain: STE and CD updates, ASIDs that move, ATS that is switched on and off.

What runs while the stream stays attached (bind, unbind, faults) does not belong here.
"""
