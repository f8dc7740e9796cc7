"""IOMMUs as units that work at the same time; what all of them do stands here, and what one of them does in a folder of
its own.

Each unit is a thin shell: one step here is one step of the rules in `hw`. Software never belongs here.
"""
