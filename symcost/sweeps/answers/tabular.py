"""Answers as Arrow, pandas and Polars tables, exact: 64-bit integers, decimals beyond, text beyond those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from symcost.errors import SpaceError
from symcost.system.extras import needed

DIGITS = 38
"""Of Arrow's decimals of 128 bits."""


def arrow_columns(columns: Mapping[str, Sequence[Any]], metadata: Mapping[str, str] | None = None) -> Any:
    """Columns of exact numbers and names as an Arrow table."""
    pa = needed("pyarrow", "a table of results", SpaceError)
    arrays = {name: _array(pa, list(values)) for name, values in columns.items()}
    table = pa.table(arrays) if arrays else pa.table({"number": pa.array([], pa.int64())})
    return table.replace_schema_metadata({k: str(v) for k, v in (metadata or {}).items()})


def _array(pa: Any, values: list[Any]) -> Any:
    if all(isinstance(v, str) for v in values) and values:
        return pa.array(values, pa.string())
    if all(isinstance(v, int) for v in values):
        if all(-(2**63) <= v < 2**63 for v in values):
            return pa.array(values, pa.int64())
        if all(abs(v) < 10**DIGITS for v in values):
            return pa.array([Decimal(v) for v in values], pa.decimal128(DIGITS, 0))
    return pa.array([str(v) for v in values], pa.string())


def arrow(answer: Any) -> Any:
    """An answer as an Arrow table with its provenance as metadata."""
    return arrow_columns(answer.columns, answer.provenance)


def pandas(answer: Any) -> Any:
    """An answer as a pandas data frame; integers stay integers."""
    needed("pandas", "to_pandas()", SpaceError)
    return arrow(answer).to_pandas()


def polars(answer: Any) -> Any:
    """An answer as a Polars data frame."""
    return needed("polars", "to_polars()", SpaceError).from_arrow(arrow(answer))
