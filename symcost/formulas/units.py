"""Physical quantities for people: four digits and a prefix. Exact numbers become decimals here and nowhere before."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symcost.formulas.text import written

PREFIXES = ((12, "T"), (9, "G"), (6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "u"), (-9, "n"), (-12, "p"))
DIGITS = 4


def physical(value: Any, unit: str) -> str:
    """A number with its unit; a formula as it is, its unit behind it.

    >>> physical(Fraction(1, 8000), "s"), physical(243818624, "B"), physical(0, "J")
    ('125 us', '243.8 MB', '0 J')
    """
    number = as_number(value)
    if number is None:
        return f"{written(value)} {unit}"
    if number == 0:
        return f"0 {unit}"
    power, prefix = next((p for p in PREFIXES if abs(number) >= Fraction(10) ** p[0]), PREFIXES[-1])
    return f"{float(number / Fraction(10) ** power):.{DIGITS}g} {prefix}{unit}"


def as_number(value: Any) -> Fraction | None:
    """An exact number, or None for a formula."""
    if isinstance(value, int | Fraction):
        return Fraction(value)
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else None


def counted(value: Any) -> str:
    """An integer with separators, a formula as it is."""
    return f"{value:,}" if isinstance(value, int) else written(value)
