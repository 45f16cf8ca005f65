"""The table as the lectures draw it: one line per layer with its output, parameters, MACs, activations, input + output."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from symcost.cost import CONVENTIONS, FULL, TEXTBOOK
from symcost.report.formula import elided, written
from symcost.table import CostTable, Group, Row

COLUMNS = ("layer", "output", "params", "MACs", "activations", "input + output")
NARROW = 9
GAP = "  "


def lines(costs: CostTable, convention: str = TEXTBOOK) -> list[tuple[Any, ...]]:
    """(layer, output, params, MACs, activations, input + output) of every layer that keeps a result or has weights."""
    found: list[tuple[Any, ...]] = []
    for group in costs.by_path():
        whole, kept = group.total(_of_rows(convention)), group.total(TEXTBOOK).activations
        if kept == 0 and whole.params == 0 and whole.macs == 0:
            continue
        found.append((_name(group), _shape(group.rows[-1]), whole.params, whole.macs, kept, _in_and_out(group.rows)))
    return found


def _of_rows(convention: str) -> str:
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


def render(costs: CostTable, *, convention: str = TEXTBOOK, width: int | None = None) -> str:
    """The table as text; numbers have separators, formulas are shortened where there is no room."""
    width = width or shutil.get_terminal_size((100, 24)).columns
    listed = lines(costs, convention)
    whole, kept = costs.total(convention), costs.total(TEXTBOOK).activations
    total = ("total", "", whole.params, whole.macs, kept, "")
    names = max(len(line[0]) for line in [*listed, total])
    room = max(NARROW, (width - min(names, width // 3)) // (len(COLUMNS) - 1) - len(GAP))
    cells = [COLUMNS, *(_cells(line, room) for line in [*listed, total])]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    found = [_aligned(line, widths) for line in cells]
    rule = "─" * max(map(len, found))
    return "\n".join([found[0], rule, *found[1:-1], "", found[-1], "", *_facts(costs, convention)])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    """Names and shapes to the left, numbers to the right."""
    cells = [
        text.ljust(size) if index < 2 else text.rjust(size)
        for index, (text, size) in enumerate(zip(line, widths, strict=True))
    ]
    return GAP.join(cells).rstrip()


def _cells(line: tuple[Any, ...], room: int) -> list[str]:
    name, shape, *numbers = line
    return [name, elided_text(shape, room), *(_number(value, room) for value in numbers)]


def _number(value: Any, room: int) -> str:
    if value in ("", 0):
        return ""
    return f"{value:,}" if isinstance(value, int) else elided(value, room)


def elided_text(text: str, room: int) -> str:
    """A text cut where there is no room for it."""
    return text if len(text) <= room else text[: room - 1] + "…"


def _facts(costs: Any, convention: str) -> list[str]:
    whole = costs.total(convention)
    facts = [
        ("convention", convention),
        ("params", whole.params),
        ("MACs", whole.macs),
        ("FLOPs", whole.flops),
        ("activations, input counted", costs.total(TEXTBOOK).activations),
        ("peak activations, input + output", costs.peak("textbook")),
        ("peak activations, alive at once", costs.peak("liveness")),
        ("domain", str(costs.domain)),
    ]
    return [
        f"{name:34}{value if isinstance(value, str) else f'{value:,}' if isinstance(value, int) else written(value)}"
        for name, value in facts
    ]
