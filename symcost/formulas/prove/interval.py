"""Bounds of a formula over ranges of its symbols, exact: every value at every point lies between the two.

Each operation maps bounds to bounds (Moore, Interval Analysis, 1966), in integers and fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.symbols import Evaluator, Exact, clog2, flog2, log2

Pair = tuple[Exact, Exact]
Box = Mapping[str, Pair]


class Bounds:
    """Bounds of formulas over one box, each node once.

    >>> from symcost.formulas.symbols import parse
    >>> Bounds({"d": (2, 5), "n": (1, 3)})(parse("d**2 - n*d + floor(d/2)"))
    (-10, 25)
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.seen: dict[Any, Pair] = {}

    def __call__(self, node: Any) -> Pair:
        """The smallest and largest value that the node may have."""
        found = self.seen.get(node)
        if found is None:
            found = self.seen[node] = self._bound(node)
        return found

    def _bound(self, node: Any) -> Pair:
        if node.is_Rational:
            value = Evaluator({})(node)
            return value, value
        if node.is_Symbol:
            return self.box[node.name]
        if node.is_Add:
            pairs = [self(part) for part in node.args]
            return sum((p[0] for p in pairs), start=0), sum((p[1] for p in pairs), start=0)
        if node.is_Mul:
            return self._product([self(part) for part in node.args])
        if node.is_Pow:
            return self._power(self(node.args[0]), node)
        return self._function(node)

    @staticmethod
    def _product(pairs: list[Pair]) -> Pair:
        low, high = pairs[0]
        for a, b in pairs[1:]:
            if low >= 0 and a >= 0:
                low, high = low * a, high * b
            else:
                corners = (low * a, low * b, high * a, high * b)
                low, high = min(corners), max(corners)
        return low, high

    @staticmethod
    def _power(base: Pair, node: Any) -> Pair:
        exponent = node.args[1]
        if not exponent.is_Integer:
            raise ExpressionError(f"{node} has no bounds: the exponent {exponent} is not an integer")
        power, (low, high) = int(exponent), base
        if power < 0:
            if low <= 0 <= high:
                raise ExpressionError(f"{node} has no bounds: what stands below may be 0")
            low, high = 1 / Fraction(high), 1 / Fraction(low)
            power = -power
        if power % 2 or low >= 0:
            return low**power, high**power
        if high <= 0:
            return high**power, low**power
        return 0, max(low**power, high**power)

    def _function(self, node: Any) -> Pair:
        pairs = [self(part) for part in node.args] if not isinstance(node, sympy.Piecewise) else []
        if isinstance(node, sympy.floor | sympy.ceiling):
            rounded = math.floor if isinstance(node, sympy.floor) else math.ceil
            return rounded(pairs[0][0]), rounded(pairs[0][1])
        if isinstance(node, sympy.Max | sympy.Min):
            larger = max if isinstance(node, sympy.Max) else min
            return larger(p[0] for p in pairs), larger(p[1] for p in pairs)
        if isinstance(node, sympy.Mod) and pairs[1][0] > 0:
            (low, high), below = pairs[0], pairs[1][1]
            if low == high and pairs[1][0] == below:
                return low % below, low % below
            return (low, high) if low >= 0 and high < pairs[1][0] else (0, below)
        if isinstance(node, clog2 | flog2) and pairs[0][0] > 0:
            up = isinstance(node, clog2)
            return log2(pairs[0][0], up), log2(pairs[0][1], up)
        if isinstance(node, sympy.Piecewise):
            cases: Any = node.args
            chosen = [self(value) for value, _ in cases]
            return min(p[0] for p in chosen), max(p[1] for p in chosen)
        raise ExpressionError(f"{node.func} has no bounds")
