"""Whether two formulas are equal for all positive integers: by expansion, and Hermite's identity between floors.

``floor(x/s) + floor((x + 1)/s) + ... + floor((x + s - 1)/s) = x`` for integers ``x``: ``ceiling(h/2)`` and
``h - floor(h/2)`` are the same size, written by two roads.
"""

from __future__ import annotations

import math
from typing import Any

import sympy

from symcost.reading.given import formula


def difference(left: Any, right: Any) -> Any:
    """``left - right``, expanded, with the last floor of every Hermite sum replaced by the others.

    >>> from symcost.formulas.symbols import parse
    >>> difference(parse("ceiling(h/2)"), parse("h - floor(h/2)"))
    0
    """
    expression = sympy.expand(sympy.sympify(left, strict=True) - sympy.sympify(right, strict=True))
    return expression if expression == 0 else sympy.expand(_normalise(expression))


def _normalise(expression: Any) -> Any:
    """An expression with every floor and ceiling in its normal form."""
    atoms = expression.atoms(sympy.floor, sympy.ceiling)
    return sympy.expand(expression.xreplace({atom: _normal(atom) for atom in atoms}))


def equal(left: Any, right: Any) -> bool:
    """Whether two numbers or formulas are equal for all positive integers, as far as expansion and floors show it.

    Raises:
        SymcostError: where a side is no formula.

    >>> from symcost.formulas.symbols import parse
    >>> equal(parse("n*(h + 1)"), parse("h*n + n"))
    True
    """
    left, right = formula(left), formula(right)
    if left == right:
        return True
    pair = [set(side.args) if isinstance(side, sympy.Max) else {side} for side in (left, right)]
    return all(any(difference(a, b) == 0 for b in pair[1]) for a in pair[0]) and all(
        any(difference(a, b) == 0 for a in pair[0]) for b in pair[1]
    )


def _normal(atom: Any) -> Any:
    """A floor or ceiling as integers plus floors in the normal form of :func:`_floor`.

    Whole multiples leave it, ``floor(3x/2) = x + floor(x/2)``, and a floor of a floor is one floor.
    """
    read = _as_floor(atom)
    if read is None:
        return atom
    terms, j, s = read
    whole = sympy.Add(*(coefficient // s * term for term, coefficient in terms.items()))
    left = {term: coefficient % s for term, coefficient in terms.items() if coefficient % s}
    if list(left.values()) == [1]:
        (term,) = left
        inner = _as_floor(term) if isinstance(term, sympy.floor | sympy.ceiling) else None
        if inner is not None:
            inside, a, m = inner
            x = sympy.Add(*(coefficient * part for part, coefficient in inside.items()))
            return _normalise(whole + sympy.floor((x + a + j * m) / (m * s)))
    x = sympy.Add(*(coefficient * term for term, coefficient in left.items()))
    return _normalise(sympy.expand(whole)) + _floor(x, j, s)


def _as_floor(atom: Any) -> tuple[dict[Any, int], int, int] | None:
    """``floor((x + j)/s)`` with ``x`` as integer terms and their integer coefficients, if the atom is of that kind."""
    constant, rest = sympy.expand(atom.args[0]).as_coeff_Add()
    terms = rest.as_coefficients_dict()
    if not all(term.is_integer for term in terms):
        return None
    s = math.lcm(*(int(coefficient.q) for coefficient in terms.values()))
    j = int(sympy.ceiling(constant * s)) + s - 1 if isinstance(atom, sympy.ceiling) else int(sympy.floor(constant * s))
    return {term: int(coefficient * s) for term, coefficient in terms.items()}, j, s


def _floor(x: Any, j: int, s: int) -> Any:
    """``floor((x + j)/s)`` with ``0 <= j < m``, ``m`` being ``s`` without its smallest prime ``q``, and smaller divisors.

    Hermite's identity for the integer ``floor((x + a)/m)``: the sum over ``i < q`` of ``floor((x + a + i m)/s)`` is
    ``floor((x + a)/m)``.
    """
    whole, j = divmod(j, s)
    if s == 1:
        return whole + _normalise(sympy.expand(x))
    q = next(prime for prime in range(2, s + 1) if s % prime == 0)
    m = s // q
    if j < (q - 1) * m:
        return whole + sympy.floor((x + j) / s)
    a = j - (q - 1) * m
    return whole + _floor(x, a, m) - sympy.Add(*(sympy.floor((x + a + i * m) / s) for i in range(q - 1)))
