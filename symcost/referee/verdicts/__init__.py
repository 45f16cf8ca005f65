"""Closed forms against the compilers' own count of the same program: equal to the last unit, or every difference named."""
