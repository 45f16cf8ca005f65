"""Everything that is known of a table, for a terminal: modules, totals under every convention, peaks, domain, certificate."""

from __future__ import annotations

from typing import Any

from symcost.costs.table import CostTable
from symcost.formulas.graph.leading import abbreviated
from symcost.formulas.text import wrapped
from symcost.formulas.units import counted
from symcost.report.formats.text import NONE, label, ruled
from symcost.report.words import facts, sheet
from symcost.report.words.grouping import ReportLine, lines
from symcost.report.words.sheet import SheetColumn


def render(costs: CostTable, *, depth: int | None = None, width: int | None = None) -> str:
    """The table as text of at most ``width`` columns (the terminal's by default).

    Totals and peaks are whole, in lines that break at operators; formulas in the table by module are told by their leading
    terms where there is no room, and columns without room are left out, in words.
    """
    width = width or sheet.terminal()
    words = facts.words(costs)
    blocks = [
        wrapped(words, width) if words else [],
        _modules(costs, depth, width),
        ["Totals (convention of counting)", *sheet.pairs(facts.totals(costs, counted), width)],
        sheet.pairs(facts.beside(costs, counted), width),
        sheet.pairs(facts.on_mesh(costs, counted), width),
        sheet.pairs(facts.notes(costs), width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


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
    columns = [SheetColumn("module", [*names, ("total",)], left=True)]
    for place, (metric, convention) in enumerate(wanted):
        whole = getattr(costs.total(convention), metric)
        cells = [_cell(values[place]) if values else NONE for _, values in told]
        columns.append(
            SheetColumn(f"{facts.TITLES[metric]}\n({convention})", [*cells, _cell(whole)], facts.place_of(metric))
        )
    shown, left_out = sheet.fitted(columns, width)
    return [
        *ruled(shown),
        *(["", *wrapped(f"left out at this width: {', '.join(left_out)}", width)] if left_out else []),
    ]


def _cell(value: Any) -> tuple[str, ...]:
    return NONE if value == 0 else (f"{value:,}",) if isinstance(value, int) else abbreviated(value)
