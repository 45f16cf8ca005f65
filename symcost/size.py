"""Model size: bits of all parameters, of one width or one per layer, pruned or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

import sympy

from symcost.cost import FULL
from symcost.errors import SymcostError
from symcost.given import checked
from symcost.numerals import fraction, short
from symcost.table import CostTable

Bits = int | Mapping[str, int]
Density = int | float | str | Fraction | Mapping[str, Any]
BYTE = 8


@checked
def model_size(costs: CostTable, bits: Bits = 32, density: Density = 1, convention: str = FULL) -> Any:
    """Bytes of the parameters: the sum over layers of ``params * density * bits / 8``, exact.

    ``bits``: one width for all, or one per layer by its path (mixed precision; ``""`` is every other layer).
    ``density``: the share of weights that are not pruned, as a number (0.25 is exactly 1/4), or one per layer.
    ``convention``: ``full`` counts bias and norm, ``textbook`` weights alone.

    >>> from symcost.models import alexnet
    >>> model_size(alexnet(), bits=32, convention="textbook"), model_size(alexnet(), bits=8, convention="textbook")
    (243818624, 60954656)
    >>> model_size(alexnet(), bits={"": 8, "fc6": 4}, density={"fc6": 0.25, "": 1}, convention="textbook")
    27924512
    """
    widths = _Rates(bits, "bits", costs)
    shares = _Rates(density, "density", costs)
    parts: dict[Fraction, list[Any]] = {}
    for row in costs.rows:
        params = row.under(convention).params
        if not (isinstance(params, int) and params == 0):
            parts.setdefault(widths.of(row.path) * shares.of(row.path), []).append(params)
    total = sympy.Add(
        *(
            sympy.Rational(rate.numerator, rate.denominator * BYTE) * sympy.expand(sympy.Add(*params))
            for rate, params in parts.items()
        )
    )
    return int(total) if total.is_Integer else total


def width_of(costs: CostTable, bits: Bits) -> Callable[[str], Fraction]:
    """The bits of a layer's parameters by its path."""
    return _Rates(bits, "bits", costs).of


class _Rates:
    """One exact number per path: the longest prefix that is given, or the one for all."""

    def __init__(self, given: Any, what: str, costs: CostTable) -> None:
        by_path = given if isinstance(given, Mapping) else {"": given}
        self.what = what
        self.rates = {path: _exact(value, what, path) for path, value in by_path.items()}
        known = {row.path for row in costs.rows}
        for path in self.rates:
            if path and not any(other == path or other.startswith(path + "/") for other in known):
                near = get_close_matches(path, sorted(known), n=3)
                hint = f"did you mean {' or '.join(near)}?" if near else "see the paths of the table's rows"
                raise SymcostError(f"{what} names the layer {path!r}, which is not there: {hint}")

    def of(self, path: str) -> Fraction:
        """The number of a layer."""
        around = [given for given in self.rates if not given or path == given or path.startswith(f"{given}/")]
        if around:
            return self.rates[max(around, key=len)]
        raise SymcostError(f'{self.what} says nothing of the layer {path!r}: add it, or "" for every other layer')


def _exact(value: Any, what: str, path: str) -> Fraction:
    where = f" of {path!r}" if path else ""
    try:
        made = fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise SymcostError(f"{what}={short(value)}{where} is not a number: give one such as 8 or 0.25") from None
    if made < 0 or (what == "density" and made > 1) or (what == "bits" and (made < 1 or made.denominator != 1)):
        allowed = "an integer of at least 1" if what == "bits" else "between 0 and 1"
        raise SymcostError(f"{what}={value}{where} must be {allowed}: give another")
    return made
