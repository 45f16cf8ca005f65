"""What a sweep answers: counts, fronts, tables and pictures."""
