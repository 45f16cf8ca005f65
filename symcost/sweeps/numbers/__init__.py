"""Exact integer arithmetic over ranges of sizes."""
