"""Campaigns: fuzz jobs that run for hours on all cores or a cluster, survive being killed, and lose no finding."""
