"""The VT-d driver: invalidation queue, PASID table, page request queue, and its variants.

What names a descriptor, a PASID entry or a register of VT-d belongs here, also if it is a variant of a flow of
`drivers.kernel`. Nothing here imports `drivers.smmuv3`.
"""
