"""The way of an I/O page fault through the kernel, from a queue entry to its response, whichever IOMMU queued it.

Taking entries out of a particular queue and writing a particular response do not belong here.
"""
