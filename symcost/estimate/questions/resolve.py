"""From names to formulas: what expressions need until only axes are left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics


def resolved(metrics: Metrics, axes: Iterable[str], expressions: Iterable[Any]) -> dict[str, Any]:
    """The formulas that expressions need, by name, until only axes are left."""
    known, formulas, within = set(axes), dict[str, Any](), list[str]()

    def resolve(expression: Any) -> None:
        for name in sorted(str(s) for s in expression.free_symbols if str(s) not in known):
            if name in within:
                raise SpaceError(f"the formula {name} is defined by itself: {' -> '.join([*within, name])}")
            if name not in formulas:
                formula = sympy.sympify(_formula(metrics, known, name, within), strict=True)
                within.append(name)
                resolve(formula)
                within.pop()
                formulas[name] = formula

    for expression in expressions:
        resolve(expression)
    return formulas


def _formula(metrics: Metrics, axes: Iterable[str], name: str, within: list[str]) -> Any:
    if name in metrics:
        return metrics[name]
    if name in metrics.symbols:
        by = f"{within[-1]} depends on" if within else "the costs have"
        raise SpaceError(f"{by} the symbol {name} and the space has no axis for it: give it values, as {name} = [1]")
    raise metrics.unknown(name, axes)
