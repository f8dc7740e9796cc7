"""Intel VT-d in scalable mode: its structures, caches, queues, faults and translation rules, a module per part
of vtd-pcie §2."""
