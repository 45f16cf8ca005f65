"""Many forms at many points: in floats with how far off they may be, and exactly where that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcost.formulas.atoms import Mono
from symcost.formulas.form import Form
from symcost.formulas.values import of_product

SLACK = 1e-11
"""Share of the sum of a form's terms, each without its sign, by which floats may be off: they round each of some hundred."""


@dataclass(frozen=True)
class Many:
    """The values of forms, a row each, at points, a column each; ``off`` bounds how far each is from the exact one."""

    forms: Sequence[Form]
    points: Sequence[Mapping[str, int]]
    values: Any
    off: Any

    @classmethod
    def of(cls, forms: Sequence[Form], points: Sequence[Mapping[str, int]]) -> Many:
        """All of them, each monomial once; raises what a quotient without a value raises.

        >>> n, d = Form.symbol("n"), Form.symbol("d")
        >>> Many.of([n * d, n + 3], [{"n": 2, "d": 5}, {"n": 9, "d": 1}]).values.tolist()
        [[10.0, 9.0], [5.0, 12.0]]
        """
        known: dict[Mono, int] = {}
        for form in forms:
            for mono in form.terms:
                known.setdefault(mono, len(known))
        counts = np.zeros((len(forms), len(known)))
        for row, form in enumerate(forms):
            for mono, count in form.terms.items():
                counts[row, known[mono]] = count
        products = np.array([[_float(of_product(mono)(point)) for point in points] for mono in known])
        products = products.reshape(len(known), len(points))
        with np.errstate(all="ignore"):  # what is too large for floats is looked at exactly
            return cls(forms, points, counts @ products, SLACK * (abs(counts) @ abs(products)))

    def most(self, column: int) -> Any:
        """The largest exact value at a point.

        >>> n = Form.symbol("n")
        >>> Many.of([n, n**2, 3 * n], [{"n": 2}]).most(0)
        6
        """
        values, off = self.values[:, column], self.off[:, column]
        near = values + off >= (values - off).max() if np.isfinite(values).all() else [True] * len(self.forms)
        return max(Form.values([form for form, it in zip(self.forms, near, strict=True) if it], self.points[column]))


def _float(number: Any) -> float:
    """A number as a float, of any size."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
