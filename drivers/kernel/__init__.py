"""Kernel code that knows no particular IOMMU: the life of PASIDs and bindings, drivers of endpoints, resets.

A flow belongs here if it calls its IOMMU's driver through the protocols of `drivers.kernel.iommu` alone. What names a
CD, a descriptor or a register of one IOMMU belongs to `drivers.smmuv3` or `drivers.vtd`, which may import this folder;
this folder imports neither.
"""
