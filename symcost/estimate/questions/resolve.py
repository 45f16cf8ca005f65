"""From names to formulas: what an expression needs until only axes are left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from symcost.errors import SpaceError
from symcost.estimate.questions.names import Metrics


class Resolver:
    """Collects the formulas that expressions need, until only axes are left."""

    def __init__(self, metrics: Metrics, axes: Iterable[str]) -> None:
        self.metrics, self.axes = metrics, set(axes)
        self.found: dict[str, Any] = {}
        self._open: list[str] = []

    def __call__(self, expression: Any) -> None:
        """Find the formulas of an expression's names."""
        for name in sorted(str(s) for s in expression.free_symbols):
            if name not in self.axes and name not in self.found:
                self._resolve(name)

    def _resolve(self, name: str) -> None:
        if name in self._open:
            raise SpaceError(f"the formula {name} is defined by itself: {' -> '.join([*self._open, name])}")
        if name not in self.metrics:
            raise self._missing(name)
        formula = sympy.sympify(self.metrics[name], strict=True)
        self._open.append(name)
        self(formula)
        self._open.pop()
        self.found[name] = formula

    def _missing(self, name: str) -> SpaceError:
        if name in self.metrics.symbols:
            by = f"{self._open[-1]} depends on" if self._open else "the costs have"
            return SpaceError(
                f"{by} the symbol {name} and the space has no axis for it: give it values, as {name} = [1]"
            )
        return self.metrics.unknown(name, self.axes)
