"""Tracing: from a flax model or JAX function to its certified closed form."""
