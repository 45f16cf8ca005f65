"""Two formulas beside each other: whether they are equal, which can be the largest, and which side rules at a point."""
