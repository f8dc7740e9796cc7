"""Campaigns: fuzz jobs that run for hours on all cores or a cluster, survive being killed, and lose no finding.

The store, shards, workers, coverage and reports of a campaign belong here; what one search does belongs to `explore`.
"""
