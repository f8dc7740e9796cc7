"""What the kernel keeps in memory: address spaces, the PASIDs that refer to them, and objects that can die.

Nothing here knows a device or an IOMMU.
"""
