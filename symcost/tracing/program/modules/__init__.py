"""Flax modules as programs: linen, nnx, and what a linen model has at a point that nobody initialised."""
