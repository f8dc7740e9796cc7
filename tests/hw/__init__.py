"""Tests of the hardware rules, without any actor."""
