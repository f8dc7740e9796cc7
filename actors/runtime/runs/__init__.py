"""What a run is: its execution, its schedule, how it ends, and what can be asked of it when it is over.

Who resumes the actors does not belong here: that is what `runners` do.
"""
