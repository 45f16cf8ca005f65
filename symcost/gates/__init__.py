"""Limits held or refuted: budgets, differences, claims, and the pytest plugin."""
