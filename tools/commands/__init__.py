"""The bodies of the commands, one a file; each is imported only when its command runs."""
