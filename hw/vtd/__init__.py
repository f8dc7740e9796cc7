"""Intel VT-d in scalable mode: its structures, caches, queues, faults and translation rules, a module per part
of vtd-pcie §2.

A format or a rule of VT-d belongs here; what the SMMU has too is beside the folder. Nothing here imports `hw.smmuv3`.
"""

LANE = "vtd"
"""Its column on a ladder: the target of what is sent to it, and what the names of its actors begin with."""
