"""What silicon is: memory, page tables, descriptors, queues, caches and link rules, without any actor."""
