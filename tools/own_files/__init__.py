"""Code of users that is run here: how a file is found, loaded, trusted, and kept from taking the process with it.

What decides whether and how a user's model may run belongs here; what its runs come to does not.
"""
