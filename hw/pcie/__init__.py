"""PCI Express as an IOMMU sees it: messages and their order, ATS and PRI (vtd-pcie §1).

What a device or the link must do, whichever IOMMU is behind it, belongs here; what an IOMMU makes of a message
does not.
"""
