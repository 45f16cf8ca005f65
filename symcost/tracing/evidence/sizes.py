"""The dimensions of input specs with symbolic sizes in the place of numbers."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import Any

import jax
import sympy

from symcost.errors import SpecError
from symcost.tracing.program.spec import Spec, abstract


def tree_of_sizes(tree: Any, point: Mapping[str, Any]) -> Any:
    """Abstract arrays for a tree of specs; the point gives a size for each symbol, symbolic or not."""

    def sized(leaf: Any) -> Any:
        is_spec = isinstance(leaf, Spec)
        return abstract(leaf, tuple(size_of(dim, point) for dim in leaf.dims)) if is_spec else leaf

    return jax.tree.map(sized, tree)


def size_of(expression: Any, point: Mapping[str, Any]) -> Any:
    """An expression computed with sizes; a quotient must be whole, which sizes that decide write down.

    >>> size_of(sympy.Symbol("d") * 3 + 1, {"d": 5})
    16
    """
    above, below = sympy.fraction(sympy.together(expression)) if expression.is_Add else expression.as_numer_denom()
    if below != 1:
        top, bottom = size_of(above, point), size_of(below, point)
        if top % bottom != 0:
            raise SpecError(f"the dimension {expression} is no whole number at the base point: it must be a size")
        return top // bottom
    if expression.is_Integer:
        return int(expression)
    if expression.is_Symbol:
        return point[expression.name]
    if isinstance(expression, sympy.floor | sympy.ceiling):
        above, below = expression.args[0].as_numer_denom()
        top, bottom = size_of(above, point), size_of(below, point)
        return top // bottom if isinstance(expression, sympy.floor) else -(-top // bottom)
    parts = [size_of(part, point) for part in expression.args]
    if expression.is_Add:
        return functools.reduce(operator.add, parts)
    if expression.is_Mul:
        return functools.reduce(operator.mul, parts)
    if expression.is_Pow:
        return parts[0] ** parts[1]
    if isinstance(expression, sympy.Mod):
        return parts[0] % parts[1]
    if isinstance(expression, sympy.Max | sympy.Min):
        return functools.reduce(max if isinstance(expression, sympy.Max) else min, parts)
    raise SpecError(f"the dimension {expression} has no symbolic size: {type(expression).__name__} is not known here")
