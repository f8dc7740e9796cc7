"""Closed worlds on one screen each, and `oracles/`: what must hold in them, one property a file."""
