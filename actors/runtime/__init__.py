"""The kernel of the emulator: steps, ports, locks, worlds, schedules and the three drivers that run them."""
