"""Renderers: a decoded trace as text for people; they read nothing else."""
