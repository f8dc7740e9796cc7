"""Boards: an IOMMU, a device, their driver and process A, put together for scenarios to add to.

A board knows no property and no verdict. A knob of hardware that several scenarios turn belongs here too.
"""
