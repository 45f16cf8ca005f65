"""What a sweep asks: the space, its conditions and columns."""
