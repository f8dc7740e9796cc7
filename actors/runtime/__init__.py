"""The runtime of worlds: `primitives` is what actors act through, `runs` what a run is, `runners` who makes it go.

`world` puts the primitives together. Nothing here knows a device, an IOMMU or a kernel; what searches over many runs
belongs to `tools.explore`.
"""
