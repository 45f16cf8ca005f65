"""Formulas on real numbers in JAX: smooth enough to be differentiated, no longer exact."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import clog2, flog2
from symcost.formulas.binary.halves import odd_halves, popcount
from symcost.formulas.binary.powers import isqrt, pow2


def evaluate(expression: Any, point: Mapping[str, Any], formulas: Mapping[str, Any]) -> Any:
    """The relaxed value: floors and ceilings left out, logarithms of real numbers, Max and Min as they are.

    A Piecewise keeps its conditions, and ``Mod`` the quotient it has at the point: their gradients are those of the
    piece at hand.
    """
    import jax.numpy as jnp

    known: dict[Any, Any] = {}

    def value(node: Any) -> Any:
        if node not in known:
            known[node] = made(node)
        return known[node]

    def made(node: Any) -> Any:
        if node.is_Rational:
            return float(node)
        if node.is_Symbol:
            if node.name in formulas and node.name not in point:
                return value(formulas[node.name])
            if node.name not in point:
                raise ExpressionError(f"no value for the symbol {node.name}: values are given for {', '.join(point)}")
            return point[node.name]
        if isinstance(node, sympy.Piecewise):
            pieces: Any = node.args
            default = value(pieces[-1][0])
            return reduce(
                lambda rest, piece: jnp.where(value(piece[1]), value(piece[0]), rest), pieces[-2::-1], default
            )
        parts = [value(a) for a in node.args]
        for kind, function in _FUNCTIONS:
            if isinstance(node, kind):
                return function(jnp, parts)
        raise ExpressionError(f"{node.func} has no relaxed form: {node}")

    return value(sympy.sympify(expression, strict=True))


_FUNCTIONS: tuple[tuple[Any, Any], ...] = (
    (sympy.Add, lambda jnp, p: sum(p[1:], start=p[0])),
    (sympy.Mul, lambda jnp, p: reduce(lambda a, b: a * b, p)),
    (sympy.Pow, lambda jnp, p: p[0] ** (int(p[1]) if p[1] == int(p[1]) else p[1])),
    ((sympy.floor, sympy.ceiling), lambda jnp, p: p[0]),
    (sympy.Max, lambda jnp, p: reduce(jnp.maximum, p)),
    (sympy.Min, lambda jnp, p: reduce(jnp.minimum, p)),
    (sympy.Mod, lambda jnp, p: p[0] - jnp.floor(p[0] / p[1]) * p[1]),
    ((clog2, flog2), lambda jnp, p: jnp.log2(p[0])),
    (pow2, lambda jnp, p: 2.0 ** p[0]),
    (isqrt, lambda jnp, p: jnp.sqrt(p[0])),
    (popcount, lambda jnp, p: 1 + jnp.log2(p[0]) / 2),
    (odd_halves, lambda jnp, p: p[0] ** int(p[1]) * 2 ** int(p[1]) / (2 ** int(p[1]) - 1) / 2),
    (sympy.StrictLessThan, lambda jnp, p: p[0] < p[1]),
    (sympy.LessThan, lambda jnp, p: p[0] <= p[1]),
    (sympy.StrictGreaterThan, lambda jnp, p: p[0] > p[1]),
    (sympy.GreaterThan, lambda jnp, p: p[0] >= p[1]),
    (sympy.Equality, lambda jnp, p: p[0] == p[1]),
    (sympy.Unequality, lambda jnp, p: p[0] != p[1]),
    (sympy.And, lambda jnp, p: reduce(jnp.logical_and, p)),
    (sympy.Or, lambda jnp, p: reduce(jnp.logical_or, p)),
    (sympy.Not, lambda jnp, p: jnp.logical_not(p[0])),
)
"""How each kind of expression is computed from its parts."""
