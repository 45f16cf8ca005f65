"""What XLA counts of a program, from its text."""
