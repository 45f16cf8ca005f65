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


def grouped(number: int | Fraction) -> str:
    """An exact number with separators.

    >>> grouped(1048576), grouped(Fraction(92160, 7))
    ('1,048,576', '92,160/7')
    """
    return f"{number.numerator:,}" + (f"/{number.denominator:,}" if number.denominator > 1 else "")


def percent(share: int | Fraction) -> str:
    """A share of 1 in percent, to a tenth.

    >>> percent(Fraction(1, 8)), percent(Fraction(-1, 3)), percent(Fraction(1, 10_000))
    ('12.5 %', '-33.3 %', '0.0 %')
    """
    tenths = round(1000 * share)
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10} %"


def counted(value: Any) -> str:
    """An integer with separators, a formula as it is."""
    return f"{value:,}" if isinstance(value, int) else written(value)


UPWARDS = [power for power in PREFIXES[::-1] if power[0] >= 0]
SIGNIFICANT = 3
"""Digits of a rounded number for people, where the exact one stands elsewhere."""


def rounded(value: Any, unit: str = "") -> str:
    """Three digits and a prefix, rounded exactly; a formula as it is.

    >>> rounded(25557032), rounded(4089184256, "MACs"), rounded(7225344, "B"), rounded(999_999), rounded(530, "B")
    ('25.6 M', '4.09 GMACs', '7.23 MB', '1 M', '530 B')
    """
    number = as_number(value)
    if number is None:
        return f"{written(value)} {unit}".strip()
    prefix, digits, decimals = next(made for each in UPWARDS if (made := _scaled(abs(number), *each)) is not None)
    whole, rest = divmod(digits, 10**decimals)
    text = f"{whole:,}" + (f".{rest:0{decimals}}".rstrip("0") if rest else "")
    return f"{'-' if number < 0 else ''}{text} {prefix}{unit}".strip()


BINARY = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
FEW = 10_000
"""Whole numbers of a prefix of two stay below this."""


def stored(size: Fraction) -> str:
    """Bytes of a memory, or in one: in a prefix of two that they are a small whole number of, else rounded.

    >>> stored(Fraction(327680)), stored(Fraction(80_000_000_000)), stored(Fraction(92160, 7))
    ('320 KiB', '80 GB', '13.2 kB')
    """
    whole = [(power, name) for power, name in BINARY if size % power == 0 and power <= size < FEW * power]
    return f"{size // whole[0][0]:,} {whole[0][1]}" if whole else rounded(size, "B")


def _scaled(number: Fraction, power: int, prefix: str) -> tuple[str, int, int] | None:
    """The prefix, the digits and how many of them are decimals; None where a larger prefix has room for them."""
    scaled = number / 10**power
    decimals = max(SIGNIFICANT - len(str(int(scaled))), 0)
    digits = round(scaled * 10**decimals)
    return (prefix, digits, decimals) if digits < 1000 * 10**decimals or prefix == UPWARDS[-1][1] else None
