"""The report as Markdown: tables with their formulas whole, every text escaped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symcost.costs.table import CostTable
from symcost.formulas.text import written
from symcost.report.words import facts, sheet
from symcost.report.words.grouping import MODEL, ReportLine, paths
from symcost.report.words.sheet import escaped


@dataclass(frozen=True)
class Section:
    """A table with its title: the first column is a name, formulas stand in the others."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def render(costs: CostTable, *, depth: int | None = None) -> str:
    """The table as Markdown."""
    parts = [_markdown(section) for section in _sections(costs, depth)]
    notes = [f"- **{title}**: {escaped(sentence)}" for title, sentence in facts.notes(costs)]
    words = [escaped(found)] if (found := facts.words(costs)) else []
    return "\n\n".join([*words, *parts, "\n".join(notes)]).rstrip()


def _sections(costs: CostTable, depth: int | None) -> list[Section]:
    wanted = facts.columns(costs)
    header = ("module", *(f"{facts.TITLES[metric]} ({convention})" for metric, convention in wanted))
    modules = []
    for path, number, rows in paths(costs.rows, depth):
        found = facts.values_of(rows, wanted)
        if any(value != 0 for value in found):
            modules.append((ReportLine(path or MODEL, 0, number, rows).label, *map(_cell, found)))
    whole = ("total", *(_cell(getattr(costs.total(convention), metric)) for metric, convention in wanted))
    made = [
        Section("Modules", header, (*modules, whole)),
        Section("Totals", ("metric (convention)", "value"), tuple(facts.totals(costs))),
    ]
    peaks = facts.beside(costs)
    return [*made, *([Section("Peaks", ("metric (rule)", "value"), tuple(peaks))] if peaks else [])]


def _cell(value: Any) -> str:
    return "" if value == 0 else written(value)


def _code(text: str) -> str:
    """A formula as code; a bar would end the cell even there."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def _markdown(section: Section) -> str:
    rows = [(escaped(name), *map(_code, cells)) for name, *cells in section.rows]
    return f"### {section.title}\n\n{sheet.markdown(section.header, rows, right=range(1, len(section.header)))}"
