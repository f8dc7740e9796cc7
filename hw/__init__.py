"""What silicon is: memory, page tables, descriptors, queues, caches and link rules, without any actor.

A chapter a folder: the two IOMMUs, the link, page tables, and records of what happened. What all of them need lies
beside the folders: addresses and the bus, bit fields, memory, registers, a TLB. Nothing here awaits anything but a bus,
and nothing decides when something happens.
"""
