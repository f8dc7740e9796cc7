"""Scenarios about queues in memory: who may write which slot, and who hears of an entry.

A scenario belongs here if what goes wrong is in the queue's own protocol, whatever the entries say. Its verdict table
stands beside it.
"""
