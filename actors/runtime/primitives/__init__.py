"""What an actor and an oracle see of the runtime: steps, the cpu, ports and links, locks, events, goals.

A module belongs here if a world can use it without knowing how runs are scheduled, recorded or ended.
"""
