"""Flax twins: every layer as a linen module with the same arithmetic, channels last. One family per file."""
