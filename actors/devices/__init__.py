"""Endpoints: what works behind the IOMMU, translates, writes, asks for pages, stops, and breaks.

An actor belongs here if it sits on the device's side of the link. The driver of a device
is kernel code, and is not here.
"""
