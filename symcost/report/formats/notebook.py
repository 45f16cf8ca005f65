"""The report for notebooks: modules as a tree that opens and closes, each with the sum of all inside, then the totals.

HTML's own ``<details>`` does it, without a script or a style sheet: the same in every notebook and in pages made of one.
Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from symcost.costs.table import CostTable
from symcost.formulas.text import written
from symcost.report.words import facts
from symcost.report.words.grouping import MODEL, ModuleGroup, ReportLine, tree

MOST = 300
"""Lines of the tree; where there would be more, the deepest modules are counted in those around them."""
NAME, NUMBER, GAP, INDENT, MARKER = 14, 10, 0.5, 1.2, 1.0
"""Widths of columns and between them, the indentation of a level, and the room of a summary's marker, in em."""
_CELL = "overflow-wrap:anywhere;text-align:right;font-family:monospace"


def html(costs: CostTable) -> str:
    """The table as an HTML fragment."""
    wanted = facts.columns(costs)
    root = tree(costs.rows)
    head = [f"{facts.TITLES[metric]} ({convention})" for metric, convention in wanted]
    width = NAME + (NUMBER + GAP) * len(wanted) + 2 * MARKER
    top = f'<div style="padding-left:{MARKER}em">{_line("module", head, 0, bold=True)}</div>'
    words = facts.words(costs)
    parts = [f"<div>{escape(words)}</div>"] if words else []
    parts += [
        f'<div style="max-width:100%;overflow-x:auto"><div style="min-width:{width:g}em;font-size:90%;line-height:1.4">{top}',
        _tree(root, wanted, 0, _depth(root)),
        "</div></div>",
    ]
    parts += [
        _pairs("Totals", facts.totals(costs), True),
        _pairs("Peaks", facts.beside(costs), False),
        _pairs("Known of them", facts.notes(costs), False),
    ]
    return "".join(parts)


def _depth(root: ModuleGroup) -> int:
    """How many levels are shown: all, or as many as leave the tree at ``MOST`` lines."""
    level, count, depth = [root], 1, 0
    while level := [child for node in level for child in node.children.values()]:
        count += len(level)
        if depth and count > MOST:
            break
        depth += 1
    return depth


def _tree(node: ModuleGroup, wanted: Sequence[facts.Column], level: int, depth: int) -> str:
    """A module with what is inside it; one that costs nothing is left out."""
    found = facts.values_of(list(node.all_rows()), wanted)
    if not any(value != 0 for value in found):
        return ""
    name = ReportLine(node.name or MODEL, 0, node.number, ()).label
    cells = ["" if value == 0 else written(value) for value in found]
    inner = "".join(_tree(child, wanted, level + 1, depth) for child in node.children.values()) if level < depth else ""
    margin = f"margin-left:{INDENT if level else 0}em"
    if not inner:
        return f'<div style="{margin};padding-left:{MARKER}em">{_line(name, cells, level)}</div>'
    opened = " open" if level == 0 else ""
    summary = f'<summary style="white-space:nowrap">{_line(name, cells, level)}</summary>'
    return f'<details{opened} style="{margin}">{summary}{inner}</details>'


def _line(name: str, cells: Sequence[str], level: int, bold: bool = False) -> str:
    """One line in columns that stand below each other at every level; inside a summary it follows the marker."""
    columns = f"{NAME - INDENT * level:g}em" + f" {NUMBER}em" * len(cells)
    weight = ";font-weight:bold" if bold else ""
    spans = "".join(f' <span style="{_CELL}">{escape(cell)}</span>' for cell in cells)
    style = f"display:inline-grid;grid-template-columns:{columns};column-gap:{GAP}em;vertical-align:top;white-space:normal{weight}"
    return f'<span style="{style}"><span style="overflow-wrap:anywhere">{escape(name)}</span>{spans}</span>'


def _pairs(title: str, pairs: Sequence[tuple[str, str]], opened: bool) -> str:
    if not pairs:
        return ""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
        for name, text in pairs
    )
    return (
        f"<details{' open' if opened else ''}><summary><b>{escape(title)}</b></summary><table>{rows}</table></details>"
    )
