"""The SMMUv3 driver: command queue, contexts, PRI and event queues, and its variants.

What names a command, an STE or a CD, or a register of the SMMU, belongs here, also if it is a variant of a flow of
`drivers.kernel`. Nothing here imports `drivers.vtd`.
"""
