"""Arithmetic of sizes: windows that slide, maps that shrink and grow, receptive fields."""
