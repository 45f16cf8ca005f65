"""A closed form beside XLA's count: the text of a lowered program, counted on its own, at a point. Nothing imports jax."""
