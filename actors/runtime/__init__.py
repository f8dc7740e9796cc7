"""The runtime of worlds: `primitives` is what actors act through, `runs` what a run is, `runners` who makes it go.

`world` puts the primitives together, `kernel` builds on it what the kernel synchronises with. Nothing here knows a
device, an IOMMU or a driver; what searches over many runs
belongs to `tools.explore`.
"""
