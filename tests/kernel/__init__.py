"""The kernel's means of synchronisation: what they do, by exact counts, and their footprints against all orders."""
