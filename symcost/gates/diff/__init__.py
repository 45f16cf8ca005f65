"""What a change costs: the difference of two tables, as formulas and at points."""
