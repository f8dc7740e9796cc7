"""What the kernel synchronises with, as users of `stopmarker.kernel` call it: completions, counts, RCU, work.

Each module is one of the kernel's headers, each operation one of its functions, and each await on one a step. What a
world is made of without a kernel (memory, locks, ports) belongs to `primitives`.
"""
