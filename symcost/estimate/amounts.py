"""Sizes, bytes and prices as people give them: integers, formulas, and texts of formulas."""

from __future__ import annotations

from typing import Any

import sympy

from symcost.costs.exact import rational
from symcost.devices.device import exact_number
from symcost.errors import SymcostError
from symcost.formulas.symbols import parse
from symcost.reading.given import formula
from symcost.reading.numerals import bare


def amount(given: Any, what: str) -> sympy.Expr:
    """A formula from an integer, a fraction, a formula or a text of one; never negative.

    >>> amount("2*B*D", "bytes"), amount("0.5", "price")
    (2*B*D, 1/2)
    """
    made = _read(given)
    if made.is_negative:
        raise SymcostError(f"{what}={bare(given)} must be 0 or more: give its amount")
    return made


def many(given: Any, what: str) -> sympy.Expr:
    """The same of things that are counted, of which there is at least one.

    >>> many("2*X", "devices"), many(8, "devices")
    (2*X, 8)
    """
    made = _read(given)
    if made.is_integer is False or (made - 1).is_negative:
        raise SymcostError(f"{what}={bare(given)} must be a positive integer or a formula: give how many there are")
    return made


def _read(given: Any) -> Any:
    number = None if isinstance(given, sympy.Expr) else exact_number(given)
    return rational(number) if number is not None else parse(given) if isinstance(given, str) else formula(given)
