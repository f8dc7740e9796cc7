"""Scenarios whose actors are functions of C; the sources lie beside them.

A race belongs here if its C is what is argued about. The same race in Python stays with its family, but for a model
that is there to be compared with the C.
"""
