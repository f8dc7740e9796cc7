"""Scenarios whose actors are C; the sources lie beside them."""
