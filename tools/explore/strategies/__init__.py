"""Strategies of a hunt, which need not see every schedule: by chance, by bounds, by coverage; and what they have in
common.

A strategy decides over many runs and knows no IOMMU. The one exhaustive search is `tools.explore.dpor`.
"""
