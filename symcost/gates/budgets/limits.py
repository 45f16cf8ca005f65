"""What a budget may limit, in which units, and how a limit is written: ``"125 M"``, ``"320 KiB"``, ``"10 ms"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.errors import SymcostError
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.reading.nearest import choose
from symcost.reading.numerals import amount, short

KINDS: Mapping[str, str] = {name: quantity.unit.kind for name, quantity in QUANTITIES.items() if quantity.unit.letters}
"""The metrics that have a limit, and what they are measured in: every quantity but rates, of which more is better."""
FIT = "fit"
VERDICT = "verdict"
WHERE = "where"


@dataclass(frozen=True)
class Limit:
    """A metric may be at most ``value``; ``text`` is how it was written."""

    metric: str
    value: Fraction
    text: str

    @property
    def kind(self) -> str:
        """What it is measured in."""
        return KINDS[self.metric]


def limit(metric: str, given: Any, where: str) -> Limit:
    """A limit as it stands in a file.

    >>> limit("params", "25.6 M", "").value, limit("model_size", "1 MiB", "").value
    (Fraction(25600000, 1), Fraction(1048576, 1))
    """
    unit_of = QUANTITIES[metric].unit
    units = unit_of.letters
    text = short(given) if isinstance(given, int) else str(given)
    if isinstance(given, bool) or text.strip()[:1] not in {*".0123456789"}:
        raise SymcostError(f"{where}: {metric} = {short(given)} is no limit: write {unit_of.example}")
    try:
        number, unit = amount(text)
    except ValueError as problem:
        raise SymcostError(f"{where}: {metric} is no limit: {problem}") from None
    if not unit and "" not in units:
        raise SymcostError(f"{where}: {metric} = {text} has no unit: it is in {unit_of.kind}, write {unit_of.example}")
    if unit not in units:
        hint = choose(unit, filter(None, units), 2)
        raise SymcostError(f"{where}: {metric} = {text!r} has an unknown unit {unit!r}: {hint}")
    return Limit(metric, number * units[unit], text)
