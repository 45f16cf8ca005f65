"""Compilers, without their devices, and the verdicts of comparing with them."""
