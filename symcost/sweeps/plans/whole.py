"""Formulas of a mesh without its sizes below the line: where the product of all axes is known, ``1/X`` is ``Y*Z`` over it.

What is minimised then is a polynomial of integers over one constant, which a search compares in machine words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symcost.formulas.symbols import symbol


class Unfolded:
    """Formulas whose ``axes`` have the product ``devices``.

    >>> from symcost.formulas.symbols import parse
    >>> unfolded = Unfolded(["X", "Y"], 64)
    >>> unfolded(parse("B*F/(X*Y) + d/X")), unfolded(parse("m*Max(B/m, F/Y)"))
    (B*F/64 + Y*d/64, Max(B, F*X*m/64))
    """

    def __init__(self, axes: Sequence[str], devices: int) -> None:
        self.axes, self.devices = [symbol(name) for name in axes], devices

    def __call__(self, formula: Any) -> Any:
        """An equal formula, positive factors of a maximum inside of it."""
        return self._node(sympy.sympify(formula, strict=True))

    def _node(self, node: Any) -> Any:
        if node.is_Atom:
            return node
        if node.is_Add or node.is_Mul or node.is_Pow:
            node = sympy.expand(node)
            terms = [self._term(term) for term in sympy.Add.make_args(node)]
            return sympy.Add(*terms)
        return node.func(*(self._node(each) for each in node.args))

    def _term(self, term: Any) -> Any:
        """A product: its sizes of axes folded, and what may go into a maximum inside of it."""
        plain, others = [], []
        for factor in sympy.Mul.make_args(term):
            base = factor.as_base_exp()[0]
            (plain if base.is_Symbol or base.is_Number else others).append(factor)
        product = sympy.Mul(*plain)
        if len(others) == 1 and isinstance(others[0], sympy.Max | sympy.Min) and product.is_positive:
            return others[0].func(*(self._node(sympy.expand(product * each)) for each in others[0].args))
        rest = [self._node(each) if not each.is_Pow else each for each in others]
        return sympy.Mul(self._folded(product), *rest)

    def _folded(self, product: Any) -> Any:
        powers = product.as_powers_dict()
        least = min((powers.get(axis, 0) for axis in self.axes), default=0)
        return product if least >= 0 else product * (sympy.Mul(*self.axes) / self.devices) ** -least
