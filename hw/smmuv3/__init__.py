"""The Arm SMMUv3: its structures, queues, commands and translation rules, a module per part
of smmuv3 §1 and §2."""
