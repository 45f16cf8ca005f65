"""How much of the formulas depends on each symbol: what much depends on is computed first and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy


def dependents(roots: Iterable[Any], formulas: Mapping[str, Any], names: Iterable[str]) -> dict[str, int]:
    """By name, the number of different sub-expressions of the roots and formulas that depend on it.

    ``formulas`` stand behind other symbols of the roots, and behind each other's.

    >>> a, b, c = sympy.symbols("a b c")
    >>> dependents([c + 1, a * b], {"c": a**2}, ["a", "b"])
    {'a': 3, 'b': 1}
    """
    roots, wanted = [*roots, *formulas.values()], set(names)
    inside: dict[str, set[str]] = {}

    def names_in(expression: Any) -> set[str]:
        names: set[str] = set()
        for name in {str(s) for s in expression.free_symbols}:
            if name not in wanted and name not in inside:
                inside[name] = names_in(formulas[name])
            names |= {name} if name in wanted else inside[name]
        return names

    counted = dict.fromkeys(names, 0)
    for part in {p for root in roots for p in sympy.preorder_traversal(root) if p.args}:
        for name in names_in(part):
            counted[name] += 1
    return counted
