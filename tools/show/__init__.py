"""Renderers: a decoded trace as text for people; they read nothing else.

A new way to draw a run is a file here. Recording and replaying belong to `tools.traces`.
"""
