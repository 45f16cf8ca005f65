"""Everything that is known of a table, for a terminal: modules, totals under every convention, peaks, domain, certificate."""

from __future__ import annotations

from typing import Any

from symcost.costs.table import CostTable
from symcost.formulas.text import wrapped, written
from symcost.formulas.units import counted
from symcost.report.formats.text import NONE, label
from symcost.report.words import facts, sheet
from symcost.report.words.following import following
from symcost.report.words.grouping import ReportLine, lines
from symcost.report.words.sheet import SheetColumn
from symcost.report.words.ways import each_way


def render(costs: CostTable, *, depth: int | None = None, width: int | None = None) -> str:
    """The table as text of at most ``width`` columns (the terminal's by default).

    All formulas are whole, in lines that break at operators, and of a table in pieces those of each piece. Columns without room
    beside others follow in further tables.
    """
    width = width or sheet.terminal()
    words = facts.words(costs)
    blocks = [
        wrapped(words, width) if words else [],
        *(block for heading, each in each_way(costs) for block in (heading, *_numbers(each, depth, width))),
        sheet.pairs(facts.on_mesh(costs, counted), width),
        sheet.pairs(facts.notes(costs), width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _numbers(costs: CostTable, depth: int | None, width: int) -> list[list[str]]:
    return [
        _modules(costs, depth, width),
        ["Totals (convention of counting)", *sheet.pairs(facts.totals(costs, counted), width)],
        sheet.pairs(facts.beside(costs, counted), width),
    ]


def _modules(costs: CostTable, depth: int | None, width: int) -> list[str]:
    """The lines that say something; a heading says something when a line below it does."""
    wanted = facts.columns(costs)
    told: list[tuple[ReportLine, list[Any]]] = []
    below = -1
    for line in reversed(lines(costs.rows, depth)):
        values = [] if line.rows is None else facts.values_of(line.rows, wanted)
        if below > line.indent if line.rows is None else any(value != 0 for value in values):
            told.append((line, values))
            below = line.indent
    if not told:
        return []
    told.reverse()
    names = [label("  " * line.indent + line.label, max(width // 3, 12)) for line, _ in told]
    columns = list[SheetColumn]()
    for place, (metric, convention) in enumerate(wanted):
        whole = getattr(costs.total(convention), metric)
        cells = [_cell(values[place]) if values else NONE for _, values in told]
        columns.append(SheetColumn(f"{facts.TITLES[metric]}\n({convention})", [*cells, _cell(whole)]))
    return following(SheetColumn("module", [*names, ("total",)], left=True), columns, width)


def _cell(value: Any) -> tuple[str, ...]:
    return NONE if value == 0 else (f"{value:,}" if isinstance(value, int) else written(value),)
