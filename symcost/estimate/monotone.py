"""Whether a formula of one symbol never falls: by its structure, and for polynomials by shifting them.

A polynomial whose coefficients around ``s`` are all at least 0 never falls from ``s`` on: ``p(s + t)`` is then a sum of
growing terms. For large enough ``s`` that holds for every polynomial that grows in the end, so ``s`` is found by
doubling, exactly.
"""

from __future__ import annotations

from typing import Any

import sympy

FAR = 1 << 16


def grows_from(expression: Any, x: Any) -> int | None:
    """The point from which the formula in the symbol ``x`` is certified never to fall, or None.

    >>> from symcost.symbols import parse, symbol
    >>> grows_from(parse("d**2 - 6*d + floor(d/4)"), symbol("d")), grows_from(parse("-d"), symbol("d"))
    (4, None)
    """
    expression = sympy.expand(expression)
    terms = sympy.Add.make_args(expression)
    plain = sympy.Add(*(term for term in terms if term.is_polynomial(x)))
    rest = [term for term in terms if not term.is_polynomial(x)]
    if not all(_grows(term, x) for term in rest):
        return None
    return _polynomial_from(sympy.Poly(plain, x))


def _polynomial_from(polynomial: Any) -> int | None:
    if not all(coefficient.is_Rational for coefficient in polynomial.all_coeffs()):
        return None
    start = 1
    while start <= FAR:
        if all(coefficient >= 0 for coefficient in polynomial.shift(start).all_coeffs()[:-1]):
            return start
        start *= 2
    return None


def _grows(node: Any, x: Any) -> bool:
    """Whether the value cannot fall when ``x`` grows, by structure alone."""
    if not node.has(x) or node == x:
        return True
    if node.is_Add:
        found = grows_from(node, x) if node.is_polynomial(x) else None
        return found == 1 or all(_grows(part, x) for part in node.args)
    if node.is_Mul:
        return all(_nonnegative(part, x) and _grows(part, x) for part in node.args)
    if node.is_Pow:
        base, exponent = node.args
        return bool(exponent.is_Integer and exponent > 0) and _nonnegative(base, x) and _grows(base, x)
    if isinstance(node, sympy.floor | sympy.ceiling | sympy.Max | sympy.Min):
        return all(_grows(part, x) for part in node.args)
    return False


def _nonnegative(node: Any, x: Any) -> bool:
    """Whether the value is at least 0 for every positive integer ``x``."""
    if node.is_nonnegative:
        return True
    # A growing value is at least what it is at 1.
    return _grows(node, x) and bool(node.xreplace({x: sympy.Integer(1)}).doit() >= 0)
