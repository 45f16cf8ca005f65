"""Numbers as they are printed: digits, a magnitude, a unit; and which exact numbers they may stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symcost.errors import SymcostError
from symcost.formulas.measures import BYTES, COUNT, JOULES, RATE, SECONDS
from symcost.reading.nearest import folded
from symcost.reading.numerals import MAX_DIGITS, short
from symcost.reading.prefixes import DECIMAL

_NUMBER = re.compile(
    r"(?P<digits>\d[\d,_]*(?:\.\d+)?|\.\d+)(?:[eE](?P<power>[+-]?\d{1,3}))?\s*(?P<unit>[A-Za-z]?[A-Za-z /-]*)"
)
MAGNITUDES = {
    **{prefix.lower(): scale for prefix, scale in DECIMAL.items()}, "b": 10**9, "bn": 10**9, "billion": 10**9,
    "million": 10**6, "thousand": 10**3,
}  # fmt: skip
"""Letters behind a number; a bare B is a billion, as in 8B parameters."""
UNITS: Mapping[str, Mapping[str, int | Fraction]] = {
    COUNT: MAGNITUDES, RATE.kind: MAGNITUDES,
    **{unit.kind: {folded(letters): scale for letters, scale in unit.letters.items()} for unit in (BYTES, SECONDS, JOULES)},
}  # fmt: skip
"""Letters behind a number, by what it is measured in."""


@dataclass(frozen=True)
class Printed:
    """A printed number: ``digits`` with ``decimals`` behind the point, times ``scale``."""

    digits: str
    value: Fraction
    decimals: int
    scale: int | Fraction

    def stands_for(self, exact: int | Fraction) -> str | None:
        """How an exact number becomes the printed one: ``exact``, ``rounded`` or ``cut off``; None where it does not."""
        scaled = Fraction(exact) / self.scale * 10**self.decimals
        shown = self.value * 10**self.decimals
        if scaled == shown:
            return "exact"
        if abs(scaled - shown) <= Fraction(1, 2):
            return "rounded"
        return "cut off" if int(scaled) == shown else None

    @property
    def exact(self) -> Fraction:
        """The number itself."""
        return self.value * self.scale

    def shown(self, exact: int | Fraction) -> str:
        """Another number as this one is printed, rounded to as many decimals."""
        shifted = round(Fraction(exact) / self.scale * 10**self.decimals)
        whole, rest = divmod(shifted, 10**self.decimals)
        return f"{whole:,}.{rest:0{self.decimals}}" if self.decimals else f"{whole:,}"


def read(text: str, unit: str = "", kind: str = COUNT, words: Sequence[str] = ()) -> Printed:
    """A printed number, such as ``724,406,816``, ``6.06M``, ``6.1e7`` or ``244 MB``; ``unit`` is that of its column.

    ``kind``: what it is measured in, of :data:`UNITS`.

    One of ``words`` may stand behind it: ``724M MACs``.

    >>> read("6.06M").exact
    Fraction(6060000, 1)
    """
    match = _NUMBER.fullmatch(text.strip()) if len(text) <= MAX_DIGITS else None
    units = UNITS[kind]
    letters = _letters(folded(match["unit"]), units, words) or folded(unit) if match else ""
    if match is None or letters not in units:
        known = ", ".join(name for name in units if name)
        raise SymcostError(
            f"cannot read {short(text)} as a number: write digits and one of {known}, as 724,406,816 or 6.06M"
        )
    scale = units[letters] * Fraction(10) ** int(match["power"] or 0)
    digits = match["digits"].replace(",", "").replace("_", "")
    return Printed(match["digits"], Fraction(digits), len(digits.partition(".")[2]), scale)


def _letters(given: str, units: Mapping[str, int | Fraction], words: Sequence[str]) -> str:
    """The magnitude alone, without the word behind it."""
    bare = (given.removesuffix(word) for word in words if given.endswith(word))
    return given if given in units else next((letters for letters in bare if letters in units), given)
