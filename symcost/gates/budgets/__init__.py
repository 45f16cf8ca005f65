"""Budgets: limits on what a model costs, at points and over ranges, as a gate of continuous integration."""
