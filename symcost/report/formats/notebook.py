"""The report for notebooks: modules as a tree that opens and closes, each with the sum of all inside, then the totals.

HTML's own ``<details>`` does it, without a script or a style sheet: the same in every notebook and in pages made of one.
Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.formulas.graph.leading import abbreviated, leading
from symcost.formulas.text import ELLIPSIS, shortest, written
from symcost.report.formats.text import Screen, shape, share
from symcost.report.words import facts, markup
from symcost.report.words.grouping import MODEL, ModuleGroup, ReportLine, tree
from symcost.report.words.headline import POINT, narrowed, standing
from symcost.report.words.outline import Outline
from symcost.report.words.ways import shown

MOST = 300
"""Lines of the tree; where there would be more, the deepest modules are counted in those around them."""
NAME, NUMBER, GAP, INDENT, MARKER = 14, 9, 0.5, 1.2, 1.0
"""Widths of columns and between them, the indentation of a level, and the room of a summary's marker, in em."""
LONG = 80
"""Characters of a formula that is text, which breaks into lines."""
WHOLE = 24
"""Characters of a formula that is shown whole; of a longer one the leading terms. All of it as text is under the pointer."""
_CELL = "overflow-wrap:anywhere;text-align:right;font-family:monospace"
_MATH = "text-align:right"


def html(costs: CostTable) -> str:
    """The table as an HTML fragment: what its first screen is as text, as a tree; everything else in parts that open."""
    told = shown(costs)
    page = _Page(told.costs)
    width = NAME + (NUMBER + GAP) * len(page.head) + 2 * MARKER
    top = f'<div style="padding-left:{MARKER}em">{_line("module", page.head, 0, bold=True)}</div>'
    parts = [f"<div>{escape(said)}</div>" for said in narrowed(costs)]
    parts += [
        f"<div><b>{escape(POINT.join(told.headline))}</b></div>",
        *(f"<div>{escape(said)}</div>" for said in told.others),
        f'<div style="max-width:100%;overflow-x:auto"><div style="min-width:{width:g}em;font-size:90%;line-height:1.4">{top}',
        page.tree(page.root, 0, _depth(page.root)),
        "</div></div>",
        f"<div>{escape(standing(costs))}</div>",
        _pairs("Totals", facts.totals(costs)),
        _pairs("Peaks", facts.beside(costs)),
        _pairs("Known of them", facts.notes(costs)),
    ]
    return "".join(parts)


class _Page:
    """The tree of one table: every module with the sum of what is inside."""

    def __init__(self, costs: CostTable) -> None:
        self.name = costs.parts.name or MODEL
        self.screen = Screen(costs)
        self.outline = Outline(costs.rows, costs.parts.kinds, self.screen.tells)
        self.root = tree(costs.rows)
        self.typed = any(costs.parts.kinds.values()) or any(row.source == "layer" for row in costs.rows)
        self.head = [*(["type"] if self.typed else []), "output", *self.screen.titles.values(), "share"]

    def tree(self, node: ModuleGroup, level: int, depth: int) -> str:
        """A module with what is inside it; one that costs nothing is left out."""
        rows = list(node.all_rows())
        if not any(map(self.screen.tells, rows)):
            return ""
        name = ReportLine(node.name or self.name, 0, node.number, ()).label
        cells = self._cells(rows, level)
        inner = "".join(self.tree(child, level + 1, depth) for child in node.children.values()) if level < depth else ""
        margin = f"margin-left:{INDENT if level else 0}em"
        if not inner:
            return f'<div style="{margin};padding-left:{MARKER}em">{_line(name, cells, level)}</div>'
        opened = " open" if level == 0 else ""
        summary = f'<summary style="white-space:nowrap">{_line(name, cells, level)}</summary>'
        return f'<details{opened} style="{margin}">{summary}{inner}</details>'

    def _cells(self, rows: Sequence[Row], level: int) -> list[Any]:
        """Type, output, numbers and share; a formula as (what is shown, all of it as text)."""
        sums = self.screen.sums(rows)
        numbers = [getattr(sums, metric) for metric in self.screen.metrics]
        part = share(getattr(sums, self.screen.work), getattr(self.screen.whole, self.screen.work))
        kind = [self.outline.kind(rows, level)] if self.typed else []
        return [*kind, shape(self.outline.out(rows)), *map(_number, numbers), part]


def _number(value: Any) -> Any:
    if isinstance(value, int):
        return f"{value:,}" if value else ""
    if not getattr(value, "free_symbols", None):
        return str(value)
    whole, ahead, _ = abbreviated(value)
    first = value if len(whole) <= WHOLE else leading(value)
    if first is None or len(written(first)) > LONG:
        return ahead if ahead == whole else (ahead, whole)
    more = "" if ahead == whole or first == value else f" + {ELLIPSIS}"
    return markup.Html(f"<math>{markup.mathml(shortest(first))}</math>{more}"), whole


def _depth(root: ModuleGroup) -> int:
    """How many levels are shown: all, or as many as leave the tree at ``MOST`` lines."""
    level, count, depth = [root], 1, 0
    while level := [child for node in level for child in node.children.values()]:
        count += len(level)
        if depth and count > MOST:
            break
        depth += 1
    return depth


def _line(name: str, cells: Sequence[Any], level: int, bold: bool = False) -> str:
    """One line in columns that stand below each other at every level; inside a summary it follows the marker."""
    columns = f"{NAME - INDENT * level:g}em" + f" {NUMBER}em" * len(cells)
    weight = ";font-weight:bold" if bold else ""
    spans = "".join(f" {_cell(cell)}" for cell in cells)
    style = f"display:inline-grid;grid-template-columns:{columns};column-gap:{GAP}em;vertical-align:top;white-space:normal{weight}"
    return f'<span style="{style}"><span style="overflow-wrap:anywhere">{escape(name)}</span>{spans}</span>'


def _cell(cell: Any) -> str:
    shown, whole = cell if isinstance(cell, tuple) else (cell, "")
    hint = f' title="{escape(whole)}"' if whole else ""
    math = isinstance(shown, markup.Html)
    return f'<span style="{_MATH if math else _CELL}"{hint}>{shown if math else escape(shown)}</span>'


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
        for name, text in pairs
    )
    return f"<details><summary><b>{escape(title)}</b></summary><table>{rows}</table></details>"
