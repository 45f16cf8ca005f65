"""Why a number is wrong: the usual slips, each tried with exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symcost.audit.printed import Printed
from symcost.audit.quantities import Reading

FACTORS = {
    Fraction(1000): "unit: a thousand times too large", Fraction(1, 1000): "unit: a thousand times too small",
    Fraction(10**6): "unit: a million times too large", Fraction(1, 10**6): "unit: a million times too small",
    Fraction(10**6, 2**20): "unit: these are MiB of 2^20 bytes, not MB of 10^6",
    Fraction(2**20, 10**6): "unit: these are MB of 10^6 bytes, not MiB of 2^20",
    Fraction(8): "unit: these are bits, eight to a byte", Fraction(1, 8): "unit: these are bytes, an eighth of the bits",
    Fraction(4): "four bytes for each element counted as elements", Fraction(2): "twice what is right",
    Fraction(1, 2): "half of what is right", Fraction(10): "a digit too many", Fraction(1, 10): "a digit too few",
}  # fmt: skip
"""Claimed over right."""


def why(claimed: Printed, meant: Sequence[Reading], others: Sequence[Reading]) -> str:
    """The first slip that explains a claim, or how far off it is."""
    return next(_explanations(claimed, meant, others))


def _explanations(claimed: Printed, meant: Sequence[Reading], others: Sequence[Reading]) -> Iterator[str]:
    for reading in others:
        if claimed.stands_for(reading.value):
            yield reading.manner
    for reading in meant:
        if slip := digits(claimed.text, claimed.shown(reading.value)):
            yield slip
    for factor, words in FACTORS.items():
        if any(claimed.stands_for(reading.value * factor) for reading in meant):
            yield words
    for reading in others:
        if slip := digits(claimed.text, claimed.shown(reading.value)):
            yield f"{reading.manner}, and {slip}"
    right = meant[0].value
    off = claimed.exact - Fraction(right)
    share = abs(off) * 100 / Fraction(right) if right else Fraction(0)
    yield f"{'more' if off > 0 else 'less'} by {claimed.shown(abs(off))} ({share.numerator / share.denominator:.3g} %)"


def digits(claimed: str, right: str) -> str | None:
    """One wrong digit, or two neighbours that changed places.

    >>> digits("24848", "34,848")
    'a digit: 2 stands for 3'
    >>> digits("34488", "34,848")
    'two digits changed places: 48 stands for 84'
    """
    a, b = (text.replace(",", "").replace("_", "").rstrip("KMGTBkmgtbi ") for text in (claimed, right))
    if len(a) != len(b):
        return None
    differing = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differing) == 1:
        i = differing[0]
        return f"a digit: {a[i]} stands for {b[i]}"
    if len(differing) == 2 and differing[1] == differing[0] + 1:
        i, j = differing
        if a[i] == b[j] and a[j] == b[i]:
            return f"two digits changed places: {a[i : j + 1]} stands for {b[i : j + 1]}"
    return None
