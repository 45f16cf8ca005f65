"""The report as CSV, for spreadsheets and data frames: one line per operation, or per module with a depth.

Every number is the whole of its line (repetitions included), so a column sums to the total of its title; there is no
line of totals that a sum would count twice. Formulas are texts that ``symcost.parse`` reads back; in the columns of a
convention whose figures XLA's own count contradicts stands ``withdrawn``.
"""

from __future__ import annotations

from typing import Any

from symcost.costs.cost import CONVENTIONS, TOLD
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.report.words import sheet
from symcost.report.words.facts import WITHDRAWN
from symcost.report.words.grouping import paths

COLUMNS = tuple((metric, convention) for convention in CONVENTIONS for metric in TOLD)
TITLES = tuple(f"{metric} ({convention})" for metric, convention in COLUMNS)
OPERATION = ("path", "op", "phase", "source", "bound", "times", "ins", "out", "dtype")
MODULE = ("path", "number")


def render(costs: CostTable, *, depth: int | None = None) -> str:
    """The table as CSV."""
    if depth is None:
        return sheet.csv((*OPERATION, *TITLES), ([*_operation(row), *_numbers((row,))] for row in costs.rows))
    modules = paths(costs.rows, depth)
    lines = ([path, "" if number is None else number, *_numbers(rows)] for path, number, rows in modules)
    return sheet.csv((*MODULE, *TITLES), lines)


def _operation(row: Row) -> list[Any]:
    ins = " ".join(_shape(shape) for shape in row.ins)
    return [row.path, row.op, row.phase, row.source, str(row.bound).lower(), row.times, ins, _shape(row.out), row.dtype]


def _shape(sizes: tuple[Any, ...]) -> str:
    return f"[{','.join(str(size).replace(' ', '') for size in sizes)}]"


def _numbers(rows: tuple[Row, ...]) -> list[str]:
    table = CostTable(rows)
    sums = {convention: table.total(convention) for convention in table.conventions}
    return [str(getattr(sums[c], metric)) if c in sums else WITHDRAWN for metric, c in COLUMNS]
