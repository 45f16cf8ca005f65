"""Files of format 1, which say no state: it follows from what their rows declare."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from symcost.costs.cost import Cost
from symcost.costs.rows import Row, total
from symcost.reading.choices import Convention

STREAMS = ("state key", "state count")
"""Random streams of nnx, which stood among the state."""


def with_state(row: Row) -> Row:
    """A row with the state that it declares; batch norm keeps as many moving averages as it has parameters."""
    if row.source == "layer" and row.op == "batch_norm":
        kept = row.cost.params
    elif row.source == "input" and row.op.startswith("state") and not (row.op in STREAMS and not row.out):
        kept = prod(row.out)
    else:
        return row
    return replace(row, cost=replace(row.cost, state=kept), xla=replace(row.xla, state=kept))


def total_with_state(cost: Cost, rows: list[Row], convention: Convention) -> Cost:
    """A total with the state of its rows."""
    return replace(cost, state=total(rows, convention).state)
