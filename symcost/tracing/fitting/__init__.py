"""Closed forms of columns of integers."""
