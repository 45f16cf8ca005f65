"""The table as the lectures draw it: one line per layer with its output, parameters, MACs, activations, input + output.

Behind them stands the receptive field, where layers say it: the side of what one output sees of the input.
"""

from __future__ import annotations

import shutil
from typing import Any

from symcost.costs.cost import CONVENTIONS, FULL, TEXTBOOK
from symcost.costs.rows import Group, Row
from symcost.costs.table import CostTable
from symcost.formulas.text import elided, written
from symcost.reading.choices import AnyConvention, Convention
from symcost.report.words import facts, sheet

COLUMNS = ("layer", "output", "params", "MACs", "activations", "input + output", "field")
NARROW = 9


def lines(costs: CostTable, convention: AnyConvention = TEXTBOOK) -> list[tuple[Any, ...]]:
    """(layer, output, params, MACs, activations, input + output, field) of what keeps a result or has weights."""
    fields = {} if costs.parts.receptive_fields is None else costs.receptive_fields
    found: list[tuple[Any, ...]] = []
    for group in costs.by_path():
        whole, kept = group.total(_of_rows(convention)), group.total(TEXTBOOK).activations
        if kept == 0 and whole.params == 0 and whole.macs == 0:
            continue
        moved = _in_and_out(group.rows)
        field = _field(fields[group.name]) if group.name in fields else ""
        found.append((_name(group), _shape(group.rows[-1]), whole.params, whole.macs, kept, moved, field))
    return found


def _of_rows(convention: AnyConvention) -> Convention:
    """Rows know the three conventions of counting; published ones have the textbook's MACs and all parameters."""
    return convention if convention in CONVENTIONS else FULL


def _name(group: Group) -> str:
    times = group.rows[0].times
    return (group.name or "input") + ("" if times == 1 else f" x {times}")


def _shape(row: Row) -> str:
    return " x ".join(map(str, row.out[1:])) if len(row.out) > 1 else ""


def _in_and_out(rows: tuple[Row, ...]) -> Any:
    """Elements of the first operation's operands and the last one's result; the input alone has none before it."""
    first, last = rows[0], rows[-1]
    return sum((_elements(shape) for shape in first.ins), start=_elements(last.out)) if first.ins else 0


def _elements(shape: tuple[Any, ...]) -> Any:
    size: Any = 1
    for length in shape:
        size = size * length
    return size


def _field(found: tuple[Any, ...] | None) -> str:
    """One side where all are equal.

    >>> _field((11, 11)), _field((3, 5)), _field(None)
    ('11', '3 x 5', 'all')
    """
    if found is None:
        return "all"
    return str(found[0]) if len(set(found)) == 1 else " x ".join(map(str, found))


def render(costs: CostTable, *, convention: AnyConvention = TEXTBOOK, width: int | None = None) -> str:
    """The table as text; numbers have separators, formulas are shortened where there is no room."""
    width = width or shutil.get_terminal_size((100, 24)).columns
    listed = lines(costs, convention)
    whole, kept = costs.total(convention), costs.total(TEXTBOOK).activations
    total = ("total", "", whole.params, whole.macs, kept, "", "")
    shown = len(COLUMNS) - (not any(line[-1] not in ("", "all", "1") for line in listed))  # no field, no column
    names = max(len(line[0]) for line in [*listed, total])
    room = max(NARROW, (width - min(names, width // 3)) // (shown - 1) - len(sheet.GAP))
    cells = [_cells(line[:shown], room) for line in [*listed, total]]
    *found, last = sheet.columns(COLUMNS[:shown], cells, left=(0, 1))
    return "\n".join([*found, "", last, "", *_facts(costs, convention)])


def _cells(line: tuple[Any, ...], room: int) -> list[str]:
    name, shape, *numbers = line
    return [name, elided_text(shape, room), *(_number(value, room) for value in numbers)]


def _number(value: Any, room: int) -> str:
    if value in ("", 0):
        return ""
    if isinstance(value, str):
        return elided_text(value, room)
    return f"{value:,}" if isinstance(value, int) else elided(value, room)


def elided_text(text: str, room: int) -> str:
    """A text cut where there is no room for it."""
    return text if len(text) <= room else text[: room - 1] + "…"


def _facts(costs: Any, convention: AnyConvention) -> list[str]:
    whole = costs.total(convention)
    told = [
        ("convention", convention),
        ("params", whole.params),
        *([("state", whole.state)] if whole.state != 0 else []),
        ("MACs", whole.macs),
        ("FLOPs", whole.flops),
        ("activations, input counted", costs.total(TEXTBOOK).activations),
        ("peak activations, input + output", costs.peak("textbook")),
        ("peak activations, alive at once", costs.peak("liveness")),
        ("domain", str(costs.domain)),
        *([("words", words)] if (words := facts.words(costs)) else []),
    ]
    return [
        f"{name:34}{value if isinstance(value, str) else f'{value:,}' if isinstance(value, int) else written(value)}"
        for name, value in told
    ]
