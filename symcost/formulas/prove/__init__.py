"""Proofs over ranges: whether a formula stays below a limit at every point, by certified monotonicity and intervals."""
