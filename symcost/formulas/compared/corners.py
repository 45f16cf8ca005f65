"""The side of every ``Max`` and ``Min`` that rules at a point, found exactly: there a formula has a slope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from symcost.errors import SymcostError
from symcost.formulas.symbols import Evaluator, symbol
from symcost.reading.numerals import assigned


def ruling(expression: Any, name: str, point: Mapping[str, int]) -> Any:
    """The formula around a point that has a value for every symbol: no rounding, and of each maximum the side that rules.

    Sides that are equal at the point and grow alike in ``name`` are one; where they do not, there is a corner, an error.

    >>> from symcost.formulas.symbols import parse
    >>> ruling(parse("Max(n*d**2, 64*n) + floor(d/2)"), "d", {"n": 3, "d": 9})
    d**2*n + d/2
    """
    return _Ruling(name, point)(expression)


class _Ruling:
    """One point; shared parts of a formula are decided once."""

    def __init__(self, name: str, point: Mapping[str, int]) -> None:
        self.name, self.point = name, point
        self.value = Evaluator(point)
        self.seen: dict[Any, Any] = {}

    def __call__(self, node: Any) -> Any:
        if not node.args or isinstance(node, Boolean):
            return node
        if node not in self.seen:
            self.seen[node] = self._made(node)
        return self.seen[node]

    def _made(self, node: Any) -> Any:
        parts = [self(part) for part in node.args]
        if isinstance(node, sympy.floor | sympy.ceiling):
            return parts[0]
        if not isinstance(node, sympy.Max | sympy.Min):
            return node.func(*parts)
        values = [self.value(part) for part in parts]
        best = max(values) if isinstance(node, sympy.Max) else min(values)
        tied = [part for part, value in zip(parts, values, strict=True) if value == best]
        if len({self.value(sympy.diff(part, symbol(self.name))) for part in tied}) > 1:
            at = assigned(self.point)
            raise SymcostError(
                f"two sides of a {node.func.__name__} are equal at {at} and grow differently with {self.name}: "
                "ask beside this corner"
            )
        return tied[0]
