"""The Arm SMMUv3: its structures, queues, commands and translation rules, a module per part
of smmuv3 §1 and §2.

A format or a rule of the SMMU belongs here; what VT-d has too is beside the folder. Nothing here imports `hw.vtd`.
"""

LANE = "smmu"
"""Its column on a ladder: the target of what is sent to it, and what the names of its actors begin with."""
