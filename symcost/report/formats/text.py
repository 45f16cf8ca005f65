"""The first screen of a table: a headline, modules as they run with their shares, a total, and where it holds.

Everything else is in :mod:`symcost.report.formats.details`. Numbers and their digits are never cut: where there is no room
columns are left out, in words, and formulas are told by their leading terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from symcost.costs.cost import FULL, TEXTBOOK, Cost
from symcost.costs.rows import Group, Row
from symcost.costs.table import CostTable
from symcost.formulas.graph.leading import abbreviated, leading
from symcost.formulas.text import ELLIPSIS, wrapped, written
from symcost.formulas.units import counted, percent, rounded
from symcost.reading.choices import AnyConvention
from symcost.report.words import facts, sheet
from symcost.report.words.headline import POINT, is_bound, narrowed, standing, withdrawn
from symcost.report.words.outline import Outline, OutlineLine
from symcost.report.words.sheet import SheetColumn
from symcost.report.words.ways import shown

LINES, AROUND, LEAST = 25, 9, 6
"""Of a first screen, of these those around its modules, and lines of modules that there are at least."""
SHARE = "share"
MORE = "costs.details()"
NONE = ("",)


def render(
    costs: CostTable, *, depth: int | None = None, width: int | None = None, si: bool = False,
    convention: AnyConvention | None = None, drawn: bool = False, more: str = MORE,
) -> str:  # fmt: skip
    """The first screen in at most ``width`` columns (the terminal's by default).

    ``si``: numbers with three digits and a prefix. ``convention``: of the numbers, otherwise those of a table's attributes.
    ``drawn``: with activations, input + output and the receptive field, as lectures draw it. ``more``: how to see the rest.
    """
    width = width or sheet.terminal()
    told = shown(costs)
    screen = Screen(told.costs, si, convention, drawn)
    first = [*withdrawn(costs, more), *narrowed(costs)]
    above = [line for said in first for line in wrapped(said, width)] + joined(told.headline, POINT, width)
    above += [line for said in told.others for line in wrapped(said, width)]
    below = wrapped(standing(costs), width)
    mesh = sheet.pairs(facts.on_mesh(costs, counted), width)
    lines, left_out = screen.table(depth, width, LINES - len(above) - len(below) - len(mesh) - AROUND)
    notes = [f"left out at this width: {', '.join(left_out)}"] if left_out else []
    notes += (
        [f"{ELLIPSIS} stands for terms of lower degree"] if any(f"+ {ELLIPSIS}" in x for x in (*above, *lines)) else []
    )
    notes += ["shares are of the terms of highest degree"] if screen.of_leading and SHARE not in left_out else []
    table = ["", *lines, ""] if lines else []
    table += [*mesh, ""] if mesh else []
    return "\n".join([*above, *table, *wrapped("; ".join([*notes, f"all of it: {more}"]), width), *below])


def joined(parts: Sequence[str], between: str, width: int) -> list[str]:
    """Parts in as few lines as hold them, broken between them; a part longer than a line before its operators.

    >>> joined(["Net", "peak Max(8*d*n, 4*d*n + 8*d) B", "2*d B"], " · ", 24)
    ['Net', 'peak', 'Max(8*d*n, 4*d*n + 8*d)', 'B · 2*d B']
    """
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(between) + len(part) <= width:
            lines[-1] += between + part
        else:
            lines += wrapped(part, width)
    return lines


class Screen:
    """The table of a first screen: its columns, in all the ways that their cells may be written."""

    def __init__(
        self, costs: CostTable, si: bool = False, convention: AnyConvention | None = None, drawn: bool = False
    ) -> None:
        self.costs, self.si, self.drawn = costs, si, drawn
        self.of_leading = False
        """Whether shares are of leading terms, since those of whole formulas depend on the symbols."""
        self.convention: AnyConvention = convention or FULL
        self.whole = costs.total(self.convention)
        self.work = "flops" if self.whole.macs == 0 and self.whole.flops != 0 else "macs"
        self.metrics = ["params", self.work, *(["flops"] if convention and self.work == "macs" else [])]
        bound, under = " at most" if is_bound(costs) else "", f"\n({convention})" if convention else ""
        self.titles = {m: f"{facts.TITLES[m]}{'' if m == 'params' else bound}{under}" for m in self.metrics}

    def table(self, depth: int | None, width: int, most: int) -> tuple[list[str], list[str]]:
        """Its lines, and the titles of columns that are left out; unless a depth is given at most so many of modules."""
        entries = Outline(self.costs.rows, self.costs.parts.kinds, self.tells).entries(depth, max(most, LEAST))
        if not entries:
            return [], []
        shown = [column for column in self.columns(entries, width) if any(ways != NONE for ways in column.cells)]
        lines, left_out = sheet.fitted(shown, width)
        return ruled(lines), left_out

    def sums(self, rows: Sequence[Row]) -> Cost:
        """The sum of rows under the convention."""
        return Group("", tuple(rows)).total(self.convention)

    def tells(self, row: Row) -> bool:
        """Whether a row has something for a column, so that the lines sum to the total."""
        cost = row.cost if self.convention == FULL else self.sums((row,))
        return any(getattr(cost, m) != 0 for m in self.metrics) or (self.drawn and row.textbook.activations != 0)

    def columns(self, entries: Sequence[OutlineLine], width: int) -> list[SheetColumn]:
        """The columns, the last cell of each of the total."""
        sums = [self.sums(each.rows or ()) for each in entries]
        counted = {m: [*(self._number(getattr(each, m)) for each in sums), self._number(getattr(self.whole, m))]
                   for m in self.metrics}  # fmt: skip
        works, work = [getattr(each, self.work) for each in sums], getattr(self.whole, self.work)
        exact = [share(each, work) for each in works]
        ahead = [share(leading(each), leading(work)) for each in works]
        several = sum(map(bool, ahead)) > 1  # beside large numbers one term alone tells nothing
        self.of_leading = several and not any(exact)
        shares = ahead if self.of_leading else exact
        names = [label("  " * each.indent + each.label, max(width // 3, 12)) for each in entries]
        columns = [
            SheetColumn("module", [*names, ("total",)], left=True),
            SheetColumn("type", [*((each.kind,) for each in entries), NONE], 3, left=True),
            SheetColumn("output", [*((shape(each.out),) for each in entries), NONE], 4),
            *(SheetColumn(self.titles[m], counted[m]) for m in self.metrics),
            SheetColumn(SHARE, [*((each,) for each in shares), NONE], 5),
        ]
        return [*columns, *(self._drawn(entries) if self.drawn else [])]

    def _drawn(self, entries: Sequence[OutlineLine]) -> list[SheetColumn]:
        """What the lectures draw besides."""
        costs = self.costs
        fields = {} if costs.parts.receptive_fields is None else costs.receptive_fields
        kept = [Group("", each.rows or ()).total(TEXTBOOK).activations for each in entries]
        moved = [facts.moved(each.rows or ()) for each in entries]
        seen = [facts.field(each.rows or (), fields) for each in entries]
        return [
            SheetColumn("activations", [*map(self._number, kept), self._number(costs.total(TEXTBOOK).activations)], 2),
            SheetColumn("input + output", [*map(self._number, moved), NONE], 0),
            SheetColumn("field", [*((each,) for each in seen), NONE], 1),
        ]

    def _number(self, value: Any) -> tuple[str, ...]:
        """A number in one way, a formula in ever shorter ones; 0 says nothing."""
        if isinstance(value, int):
            return NONE if value == 0 else (rounded(value) if self.si else f"{value:,}",)
        return abbreviated(value)


def ruled(lines: Sequence[str]) -> list[str]:
    """Lines of a table with its rule above the last, the total, too."""
    *above, total = lines
    return [*above, next(line for line in lines if set(line) == {"─"}), total]


def share(value: Any, whole: Any) -> str:
    """The share of the whole in percent, rounded; nothing where it depends on the symbols or is not known.

    >>> from symcost.formulas.symbols import parse
    >>> share(1, 8), share(1, 10_000), share(parse("2*n"), parse("8*n + 8")), share(parse("3*n"), parse("4*n"))
    ('12.5 %', '< 0.1 %', '', '75.0 %')
    """
    if value in (0, None) or whole in (0, None):
        return ""
    ratio = _ratio(sympy.sympify(value, strict=True), sympy.sympify(whole, strict=True))
    if ratio is None:
        return ""
    return percent(ratio) if round(1000 * ratio) else "< 0.1 %"


def _ratio(value: Any, whole: Any) -> Any:
    """The quotient of two formulas whose terms are alike, else None."""
    parts, wholes = (sympy.expand(each).as_coefficients_dict() for each in (value, whole))
    ratios = {parts[term] / wholes[term] for term in parts if wholes.get(term)}
    return ratios.pop() if parts.keys() == wholes.keys() and len(ratios) == 1 else None


def label(name: str, width: int) -> tuple[str, ...]:
    """A module's name, and the same in at most ``width`` characters: the end says which one it is, so the start is cut."""
    stripped = name.lstrip()
    margin = len(name) - len(stripped)
    cut = name[:margin] + ELLIPSIS + stripped[len(stripped) - (width - margin - 1) :]
    return (name,) if len(name) <= width else (name, cut)


def shape(sizes: Sequence[Any] | None) -> str:
    """A shape as specs write it, with brackets for roundings; nothing where there is none or no size."""
    return "" if not sizes else f"[{','.join(map(_size, sizes))}]"


def _size(size: Any) -> str:
    """A size without blanks, rounded up or down in brackets.

    >>> from symcost.formulas.symbols import parse
    >>> _size(parse("2*ceiling(r/32) + 1"))
    '2*⌈r/32⌉+1'
    """
    named = {node: sympy.Symbol(_bracketed(node)) for node in _roundings(size)}
    return written(size.xreplace(named) if named else size).replace(" ", "")


def _roundings(size: Any) -> list[Any]:
    """The outermost roundings of a formula."""
    if isinstance(size, int):
        return []
    if isinstance(size, sympy.floor | sympy.ceiling):
        return [size]
    return [node for part in size.args for node in _roundings(part)]


def _bracketed(node: Any) -> str:
    inside = _size(node.args[0])
    return f"⌈{inside}⌉" if isinstance(node, sympy.ceiling) else f"⌊{inside}⌋"
