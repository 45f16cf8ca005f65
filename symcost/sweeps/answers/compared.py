"""Configurations that were found beside fresh traces of their models there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symcost.costs.fresh import WITHOUT, compared
from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.formulas.symbols import evaluate, parse
from symcost.sweeps.question.space import Space

FRONT = 8
"""Points of a front that are compared with fresh traces."""


def table_of(costs: Any, space: Space, row: Mapping[str, Any]) -> Any:
    """The costs that a row is of: those of the network that it chooses."""
    chosen = next((row[axis] for axis in space.choices), None)
    return costs if chosen is None else costs[chosen]


def point_of(row: Mapping[str, Any], axes: Iterable[str], define: Mapping[str, Any]) -> dict[str, int]:
    """The values of the axes, and of the symbols that follow from them."""
    at = {name: row[name] for name in axes}
    for name, formula in define.items():
        value = formula if isinstance(formula, int) else evaluate(_formula(formula), at)
        if not isinstance(value, int):
            raise SpaceError(f"{name} = {formula} is {value} at {at}: a size must be an integer")
        at[name] = value
    return at


def compare(costs: Any, space: Space, define: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int:
    """How many of the configurations have the numbers of a fresh trace: those whose network was traced.

    Raises:
        LiftError: where numbers of one differ.
    """
    number = 0
    for row in rows:
        table = table_of(costs, space, row)
        if isinstance(table, CostTable) and table.parts.fresh is not None:
            number += compared(table, _at(table, space, define, row))
    return number


def checked(costs: Any, space: Space, define: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """That the configurations have the numbers of a fresh trace each, in words.

    Raises:
        SymcostError: where one cannot be compared, such as one without a model.
        LiftError: where numbers of one differ.
    """
    told = ""
    for row in rows:
        table = table_of(costs, space, row)
        if not isinstance(table, CostTable):
            raise SpaceError(f"{WITHOUT}: give a table that sc.trace made, or leave check out")
        at = _at(table, space, define, row)
        told = table.subs(check=True, **{name: at[name] for name in table.symbols if name in at}).parts.compared
    return f"{told} ({len(rows)} configurations)" if len(rows) > 1 else told


def _at(table: CostTable, space: Space, define: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, int]:
    needed = _needed(table.symbols, define)
    return point_of(row, space.numbers, {name: define[name] for name in define if name in needed})


def _needed(names: Iterable[str], define: Mapping[str, Any]) -> set[str]:
    """Definitions that the values of symbols follow from."""
    used = {name for name in names if name in define}
    inside = (str(s) for name in used for s in getattr(_formula(define[name]), "free_symbols", ()))
    return used | _needed(inside, define) if used else used


def _formula(given: Any) -> Any:
    """A definition as an expression."""
    return parse(given) if isinstance(given, str) else given
