"""XLA as the referee: the text of a lowered program, counted on its own, against a closed form at a point. Nothing imports jax."""
