"""Whether a saved table adds up: its totals are the sums of its rows, whatever its digest says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symcost.costs.cost import METRICS, Cost
from symcost.costs.rows import Row
from symcost.costs.saved.facts import SavedDomain
from symcost.errors import ExpressionError, SymcostError
from symcost.formulas.extent import Exact
from symcost.formulas.symbols import Evaluator
from symcost.reading.choices import Convention
from symcost.reading.numerals import assigned

POINTS = 3
"""At how many points totals and rows are compared."""
TRIES = 200
VALUES = (*range(1, 14), 24, 96, 224, 840, 1680, 5040)
"""Of which the points are made: small ones, and such that much divides them."""


def check(
    rows: Sequence[Row],
    totals: Mapping[Convention, Cost],
    symbols: Sequence[str],
    domain: SavedDomain | None,
    seed: str,
) -> None:
    """Raise where a total is not the sum of the rows at a point of the domain.

    The points follow from ``seed``, so that a file is read alike each time and two files are not read at the same points.
    """
    seen = 0
    for point in _points(symbols, domain, seed):
        try:
            for convention, given in totals.items():
                _compare(rows, given, convention, point)
        except ExpressionError:  # a form has no value there, as where a divisor is 0
            continue
        seen += 1
        if seen == POINTS or not symbols:
            return


def _points(symbols: Sequence[str], domain: SavedDomain | None, seed: str) -> Iterator[dict[str, int]]:
    """Points of the domain: generic ones, and those of large powers of small primes where conditions are narrow."""
    draw = random.Random(seed)
    for turn in range(TRIES):
        values = VALUES if turn % 2 else VALUES[-4:]
        point = {name: draw.choice(values) for name in symbols}
        if domain is None or domain.problem(point) is None:
            yield point


def _compare(rows: Sequence[Row], given: Cost, convention: Convention, point: Mapping[str, int]) -> None:
    evaluate = Evaluator(point)

    def value(number: Any) -> Exact:
        return number if isinstance(number, int) else evaluate(number)

    summed: dict[str, Exact] = dict.fromkeys(METRICS, 0)
    for (cost, times), number in Counter(row.per_execution(convention) for row in rows).items():
        repeated = value(times) * number
        for metric, each in cost.items():
            if not (isinstance(each, int) and each == 0):
                summed[metric] += value(each) * repeated
    for metric in METRICS:
        total = value(getattr(given, metric))
        if total != summed[metric]:
            at = assigned(point)
            raise SymcostError(
                f"the total of {metric} under {convention} is {total}{at and f' at {at}'} and the sum of its rows "
                f"{summed[metric]}: save the table again"
            )
