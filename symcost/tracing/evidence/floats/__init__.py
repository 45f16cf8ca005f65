"""Numbers with a point: the formulas that they carry, and what those mean in exact numbers."""
