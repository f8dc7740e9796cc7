"""PCI Express as an IOMMU sees it: messages and their order, ATS and PRI (vtd-pcie §1)."""
