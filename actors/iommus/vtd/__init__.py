"""The VT-d unit as actors: link and requests, the invalidation queue, and its doorbell.

Formats and rules are in `hw.vtd`. Nothing here knows the SMMU.
"""
