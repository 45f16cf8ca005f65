"""Whether a formula can only grow, or only fall, when one symbol grows within its range: certified, never sampled.

By structure (sums, products of signed factors, floors, maxima); where terms pull both ways, by the sign of the exact
derivative over the ranges.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symcost.errors import ExpressionError
from symcost.formulas.prove.interval import Bounds, Box
from symcost.formulas.symbols import symbol

UP, FLAT, DOWN = 1, 0, -1
Direction = int | None


class Directions:
    """Directions of formulas along one symbol over one box.

    >>> from symcost.formulas.symbols import parse
    >>> along = Directions("d", {"d": (4, 64), "L": (1, 9)})
    >>> along(parse("L*d**2 - d**2 + 3*d")), along(parse("floor(d/2) - L")), along(parse("(d - 10)**2"))
    (1, 1, None)
    """

    def __init__(self, name: str, box: Box) -> None:
        self.symbol = symbol(name)
        self.bounds = Bounds(box)
        self.seen: dict[Any, Direction] = {}

    def __call__(self, node: Any) -> Direction:
        """``1``: never falls, ``-1``: never grows, ``0``: does not change, None: not certified."""
        if node not in self.seen:
            self.seen[node] = self._direction(node)
        return self.seen[node]

    def _direction(self, node: Any) -> Direction:
        if node == self.symbol:
            return UP
        if not node.has(self.symbol):
            return FLAT
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul:
            found = joined(self._scaled(part, node) for part in node.args)
            return self._slope(node) if found is None else found
        if node.is_Pow:
            return self._power(node)
        if isinstance(node, sympy.floor | sympy.ceiling | sympy.Max | sympy.Min):
            return joined(self(part) for part in node.args)
        return None

    def _sum(self, node: Any) -> Direction:
        found = joined(self(part) for part in node.args)
        if found is not None:
            return found
        smooth = [part for part in node.args if _polynomial(part, self.symbol)]
        rest = [part for part in node.args if not _polynomial(part, self.symbol)]
        return joined([self._slope(sympy.Add(*smooth)), *(self(part) for part in rest)])

    def _scaled(self, part: Any, product: Any) -> Direction:
        """A factor's direction, turned by the sign of the other factors."""
        own = self(part)
        if not own:
            return own
        low, high = self._known(sympy.Mul(*(other for other in product.args if other is not part)))
        return own if low is not None and low >= 0 else -own if high is not None and high <= 0 else None

    def _power(self, node: Any) -> Direction:
        base, exponent = node.args
        own, low = self(base), self._known(base)[0]
        if not exponent.is_Integer or not own or low is None:
            return own if own == FLAT else None
        if low < 0 and not (exponent > 0 and exponent % 2):
            return self._slope(node)
        return own if exponent > 0 else -own if low > 0 else None

    def _slope(self, node: Any) -> Direction:
        """By the derivative of what is a polynomial in the symbol."""
        if not _polynomial(node, self.symbol):
            return None
        low, high = self._known(_horner(sympy.diff(node, self.symbol), self.symbol))
        if low is None:
            return None
        return FLAT if low == high == 0 else UP if low >= 0 else DOWN if high <= 0 else None

    def _known(self, node: Any) -> tuple[Any, Any]:
        try:
            return self.bounds(node)
        except ExpressionError:
            return None, None


def joined(parts: Iterable[Direction]) -> Direction:
    """The direction of what grows with every part."""
    found: Direction = FLAT
    for part in parts:
        if part is None or part * found < 0:
            return None
        found = found or part
    return found


def _polynomial(node: Any, x: Any) -> bool:
    return bool(node.is_polynomial(x))


def _horner(node: Any, x: Any) -> Any:
    """Nested by powers of the symbol, ``(a x + b) x + c``: far narrower bounds than term by term."""
    nested: Any = sympy.Integer(0)
    for coefficient in sympy.Poly(node, x).all_coeffs():
        nested = nested * x + coefficient
    return nested
