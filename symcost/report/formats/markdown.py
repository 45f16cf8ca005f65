"""The report as Markdown: tables with their formulas whole, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from symcost.costs.table import CostTable
from symcost.formulas.text import written
from symcost.report.words import facts, sheet
from symcost.report.words.grouping import MODEL, ReportLine, paths
from symcost.report.words.sheet import escaped


def render(costs: CostTable, *, depth: int | None = None) -> str:
    """The table as Markdown."""
    words = [escaped(said)] if (said := facts.words(costs)) else []
    parts = [_modules(costs, depth), _section("Totals", ("metric (convention)", "value"), facts.totals(costs))]
    if peaks := facts.beside(costs):
        parts.append(_section("Peaks", ("metric (rule)", "value"), peaks))
    if mesh := facts.on_mesh(costs):
        parts.append(_section("On each device of the mesh", ("what", "value"), mesh))
    notes = [f"- **{title}**: {escaped(sentence)}" for title, sentence in facts.notes(costs)]
    return "\n\n".join([*words, *parts, "\n".join(notes)]).rstrip()


def _modules(costs: CostTable, depth: int | None) -> str:
    wanted = facts.columns(costs)
    header = ("module", *(f"{facts.TITLES[metric]} ({convention})" for metric, convention in wanted))
    modules = []
    for path, number, rows in paths(costs.rows, depth):
        values = facts.values_of(rows, wanted)
        if any(value != 0 for value in values):
            modules.append((ReportLine(path or MODEL, 0, number, rows).label, *map(_cell, values)))
    whole = ("total", *(_cell(getattr(costs.total(convention), metric)) for metric, convention in wanted))
    return _section("Modules", header, [*modules, whole])


def _cell(value: Any) -> str:
    return "" if value == 0 else written(value)


def _section(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with its title: the first column is a name, formulas stand in the others."""
    cells = [(escaped(name), *map(_code, formulas)) for name, *formulas in rows]
    return f"### {title}\n\n{sheet.markdown(header, cells, right=range(1, len(header)))}"


def _code(text: str) -> str:
    """A formula as code; a bar would end the cell even there."""
    return f"`{text}`".replace("|", "\\|") if text else ""
