"""Who makes a run go: in our order, as ordinary Trio tasks one at a time, or as Trio likes.

All of them resume actors and tell an execution what was done; none decides who goes next.
"""
