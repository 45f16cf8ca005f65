"""Why a number is wrong: the usual slips, each tried with exact arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from symcost.formulas.measures import BYTES
from symcost.gates.audit.printed import Printed
from symcost.gates.audit.quantities import ClaimedQuantity, Meaning

FACTORS = {
    Fraction(1000): "unit: a thousand times too large", Fraction(1, 1000): "unit: a thousand times too small",
    Fraction(10**6): "unit: a million times too large", Fraction(1, 10**6): "unit: a million times too small",
    Fraction(2): "twice what is right", Fraction(1, 2): "half of what is right",
    Fraction(10): "a digit too many", Fraction(1, 10): "a digit too few",
}  # fmt: skip
"""Claimed over right, of any quantity."""
OF_BYTES = {
    Fraction(10**6, 2**20): "unit: these are MiB of 2^20 bytes, not MB of 10^6",
    Fraction(2**20, 10**6): "unit: these are MB of 10^6 bytes, not MiB of 2^20",
    Fraction(8): "unit: these are bits, eight to a byte", Fraction(1, 8): "unit: these are bytes, an eighth of the bits",
}  # fmt: skip
OF_ELEMENTS = {Fraction(4): "four bytes for each element counted as elements"}
TIMES = {Fraction(times): f"{times} times what is right" for times in range(3, 17)}
CLEAR = 3
"""A number has as many digits before a multiple of the right one is more than a coincidence."""
Slip = tuple[Meaning, str]
"""What a claim should be, and the slip that explains it."""


def why(claimed: Printed, meant: Sequence[Meaning], others: Sequence[Meaning], wanted: ClaimedQuantity) -> Slip:
    """The first slip that explains a claim and the reading that it is a slip of, or how far off it is."""
    return next(_explanations(claimed, meant, others, wanted))


def _explanations(
    claimed: Printed, meant: Sequence[Meaning], others: Sequence[Meaning], wanted: ClaimedQuantity
) -> Iterator[Slip]:
    for reading in others:
        if claimed.stands_for(reading.value):
            yield meant[0], reading.manner
    for reading in meant:
        if slip := digits(claimed.digits, claimed.shown(reading.value)):
            yield reading, slip if reading == meant[0] else f"{slip} ({reading.manner})"
    for factor, words in _factors(claimed, wanted).items():
        for reading in meant:
            if claimed.stands_for(reading.value * factor):
                yield reading, words
    for reading in others:
        if slip := digits(claimed.digits, claimed.shown(reading.value)):
            yield meant[0], f"{reading.manner}, and {slip}"
    right = meant[0].value
    off = claimed.exact - Fraction(right)
    share = abs(off) * 100 / Fraction(right) if right else Fraction(0)
    yield (
        meant[0],
        f"{'more' if off > 0 else 'less'} by {claimed.shown(abs(off))} ({share.numerator / share.denominator:.3g} %)",
    )


def _factors(claimed: Printed, wanted: ClaimedQuantity) -> dict[Fraction, str]:
    """The factors that make sense for a quantity: bytes have other units than counts."""
    own = OF_BYTES if wanted.kind == BYTES.kind else OF_ELEMENTS if "activations" in wanted.name else {}
    clear = sum(letter.isdigit() for letter in claimed.digits.lstrip("0.,")) >= CLEAR
    return {**FACTORS, **(TIMES if clear else {}), **own}


def digits(claimed: str, right: str) -> str | None:
    """One wrong digit, or two neighbours that changed places.

    >>> digits("24848", "34,848")
    'a digit: 2 stands for 3'
    >>> digits("34488", "34,848")
    'two digits changed places: 48 stands for 84'
    """
    a, b = (text.replace(",", "").replace("_", "") for text in (claimed, right))
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
