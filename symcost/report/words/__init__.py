"""Words that reports share: formulas, units, groups and facts."""
