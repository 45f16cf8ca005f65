"""Formulas as graphs of integer operations, with their values over ranges."""
