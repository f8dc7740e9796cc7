"""What must hold: one property a file, the file name is the theorem. Oracles read events and nothing else."""
