"""From where on a formula of one symbol can only grow, or only fall: certified over ``[start, FAR]``, the start by doubling."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.prove.boxed import Boxed

FAR = 1 << 64
"""Sizes end here."""
MAX_START = 1 << 16


def monotone_from(expression: Any, name: str) -> tuple[int, int] | None:
    """``(start, direction)``: from ``start`` to ``FAR`` the formula never falls (1), never grows (-1) or stays (0).

    None where no start up to ``MAX_START`` is certified.

    >>> from symcost.formulas.symbols import parse
    >>> monotone_from(parse("d**2 - 6*d + floor(d/4)"), "d"), monotone_from(parse("-d"), "d")
    ((4, 1), (1, -1))
    """
    start = 1
    while start <= MAX_START:
        with suppress(ExpressionError):  # from here on it has no value everywhere
            direction = Boxed(expression, {name: (start, FAR)}).direction(name)
            if direction is not None:
                return start, direction
        start *= 2
    return None
