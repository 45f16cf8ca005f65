"""The report for a terminal: a table by module, totals under every convention, peaks, domain, certificate."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from symcost.costs.table import CostTable
from symcost.formulas.text import elided, written
from symcost.report.words import facts
from symcost.report.words.grouping import lines

MIN_COLUMN = 9
WIDE = 100
_SHORT = {"transcendentals": "transc.", "activations": "activ."}
PADDING = 2


def render(costs: CostTable, *, depth: int | None = None, width: int | None = None, color: bool = False) -> str:
    """The table as text of at most ``width`` columns (the terminal's by default).

    Formulas in the table by module are shortened where there is no room; totals and peaks are always whole.
    """
    width = width or shutil.get_terminal_size((100, 24)).columns
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
    )
    console.print(
        Group(
            *_words(costs),
            _modules(costs, depth, width),
            Text("\nTotals (convention of counting)"),
            _totals(costs),
            *_rest(costs),
        )
    )
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _words(costs: CostTable) -> list[Text]:
    """What stands behind each symbol, above everything else."""
    found = facts.words(costs)
    return [Text(f"{found}\n")] if found else []


def _modules(costs: CostTable, depth: int | None, width: int) -> Table:
    wanted = facts.columns(costs)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, PADDING, 0, 0), show_edge=False)
    table.add_column("module", overflow="ellipsis", no_wrap=True)
    for metric, convention in wanted:
        title = facts.TITLES[metric] if width >= WIDE else _SHORT.get(metric, facts.TITLES[metric])
        table.add_column(f"{title}\n({convention})", justify="right", no_wrap=True)
    listed = _listed(costs, depth, wanted)
    whole = [getattr(costs.total(convention), metric) for metric, convention in wanted]
    names = min(max((len(name) for name, _ in listed), default=0), max(width // 3, 12))
    room = _share(width - names - PADDING * (len(wanted) + 1), _natural([*listed, ("total", whole)], wanted))
    for name, values in listed:
        cells = ["" if value == 0 else elided(value, size) for value, size in zip(values or [], room, strict=False)]
        table.add_row(Text(elided_name(name, names)), *map(Text, cells))
    if all(
        len(written(value)) <= size for value, size in zip(whole, room, strict=True)
    ):  # else the totals below suffice
        table.add_section()
        table.add_row("total", *(Text(written(value)) for value in whole))
    return table


def _listed(costs: CostTable, depth: int | None, wanted: Sequence[facts.Column]) -> list[tuple[str, list[Any] | None]]:
    """Names and values of the lines that say something; a heading says something when a line below it does."""
    found: list[tuple[str, list[Any] | None]] = []
    below = -1
    for line in reversed(lines(costs.rows, depth)):
        values = None if line.rows is None else facts.values_of(line.rows, wanted)
        if below > line.indent if values is None else any(value != 0 for value in values):
            found.append(("  " * line.indent + line.label, values))
            below = line.indent
    return found[::-1]


def elided_name(name: str, width: int) -> str:
    """A module's name in at most ``width`` characters: the end says which one it is, so the start is cut."""
    stripped = name.lstrip()
    margin = len(name) - len(stripped)
    return name if len(name) <= width else name[:margin] + "…" + stripped[len(stripped) - (width - margin - 1) :]


def _natural(listed: Sequence[tuple[str, list[Any] | None]], wanted: Sequence[facts.Column]) -> list[int]:
    """The width every column would like: its longest formula, its title."""
    titles = [max(len(facts.TITLES[metric]), len(convention) + 2) for metric, convention in wanted]
    return [
        max([title, *(len(written(values[i])) for _, values in listed if values is not None)])
        for i, title in enumerate(titles)
    ]


def _share(width: int, natural: Sequence[int]) -> list[int]:
    """Widths that fit: short columns get what they need, the others share the rest evenly."""
    sizes, left, open_ = [0] * len(natural), max(width, MIN_COLUMN * len(natural)), list(range(len(natural)))
    while open_:
        fair = left // len(open_)
        content = [i for i in open_ if natural[i] <= fair]
        for i in content or open_:
            sizes[i] = min(natural[i], fair)
            left -= sizes[i]
        open_ = [i for i in open_ if content and i not in content]
    return sizes


def _grid() -> Table:
    table = Table.grid(padding=(0, PADDING, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _totals(costs: CostTable) -> Table:
    table = _grid()
    for title, value in facts.totals(costs):
        table.add_row(title, Text(value))
    return table


def _rest(costs: Any) -> list[Any]:
    table = _grid()
    for title, value in facts.beside(costs):
        table.add_row(title, Text(value))
    notes = _grid()
    for title, sentence in facts.notes(costs):
        notes.add_row(title, Text(sentence))
    return [part for grid in (table, notes) if grid.row_count for part in (Text(), grid)]
