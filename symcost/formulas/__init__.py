"""What a formula is: symbols, exact forms, conditions, bounds and proofs; text is parsed, never evaluated."""
