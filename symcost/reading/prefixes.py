"""Prefixes of units, exactly: of ten, of two, and parts of one. Devices, budgets and audits spell their units with them.

>>> DECIMAL["M"], BINARY["Ki"], PARTS["u"]
(1000000, 1024, Fraction(1, 1000000))
"""

from __future__ import annotations

from fractions import Fraction

DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
PARTS = {"": Fraction(1), **{name: Fraction(1, 10**power) for name, power in (("m", 3), ("u", 6), ("n", 9), ("p", 12))}}
