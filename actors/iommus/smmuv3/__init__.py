"""The SMMUv3 as actors: link and ATS, command queue, event queue, stalled transactions, and the SMMU of attach worlds.

Formats and rules are in `hw.smmuv3`. Nothing here knows VT-d.
"""
