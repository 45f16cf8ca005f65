"""Conditions that fall the same way again and again: they ask for remainders of a symbol alone."""

from __future__ import annotations

import math
from typing import Any

import sympy

from symcost.formulas.conditions import Condition, compares, names
from symcost.formulas.symbols import symbol


def period(stated: Condition, name: str) -> int | None:
    """After how many values of a symbol a condition falls as before, or None where it depends on more than remainders.

    >>> from symcost.formulas.conditions import condition
    >>> period(condition("d % 64 == 0 or d % 6 == 3"), "d"), period(condition("d % 64 <= d"), "d")
    (192, None)
    """
    own, found = symbol(name), 1
    for each in compares(stated):
        sides = each.left, each.right
        if names(each) != {name}:
            return None
        remainders = [part for side in sides for part in sympy.preorder_traversal(side) if isinstance(part, sympy.Mod)]
        whole = {part: sympy.Dummy() for part in remainders if _is_periodic(part, own)}
        if any(side.xreplace(whole).has(own) for side in sides):
            return None
        found = math.lcm(found, *(int(part.args[1]) for part in whole))  # type: ignore[arg-type]
    return found if found > 1 else None


def _is_periodic(remainder: sympy.Mod, own: sympy.Symbol) -> bool:
    """Whether it is of a polynomial in one symbol with whole coefficients, by a positive number."""
    above: Any = remainder.args[0]
    below: Any = remainder.args[1]
    if not below.is_Integer or below <= 0 or not above.is_polynomial(own):
        return False
    return all(coefficient.is_Integer for coefficient in sympy.Poly(above, own).all_coeffs())
