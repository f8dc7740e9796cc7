"""Page tables as an IOMMU walks them and as a test builds them, a module an architecture.

Entry formats, walks and table builders belong here. What is cached of a walk is the IOMMU's, and so is where the root
of the tables comes from.
"""
