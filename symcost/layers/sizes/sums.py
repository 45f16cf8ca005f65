"""Sums of rows while their numbers are closed forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from symcost.costs.cost import FULL, METRICS, Cost
from symcost.costs.rows import Row
from symcost.formulas.form import Form
from symcost.layers.sizes.algebra import exact
from symcost.reading.choices import Convention


def summed(rows: Iterable[Row], convention: Convention = FULL) -> Cost:
    """Sum of rows whose numbers are forms; equal costs are merged before they are multiplied."""
    parts: dict[str, list[Any]] = {metric: [] for metric in METRICS}
    distinct: Counter[tuple[Cost, Any]] = Counter(row.per_execution(convention) for row in rows)
    for (cost, times), number in distinct.items():
        for metric, value in cost.items():
            if not (isinstance(value, int) and value == 0):
                parts[metric].append(value * times * number)
    return Cost(**{metric: exact(Form.total(found)) for metric, found in parts.items()})
