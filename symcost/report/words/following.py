"""Tables of whole cells, one below the other where a line has no room for all columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from symcost.formulas.text import wrapped
from symcost.report.words import sheet
from symcost.report.words.sheet import SheetColumn


def following(name: SheetColumn, others: Sequence[SheetColumn], width: int) -> list[str]:
    r"""Lines of all columns behind the first, every cell whole; what has no room beside others follows as a further table.

    A cell that is longer than a line is broken before operators. Above the last row, the total, is a rule.

    >>> name = SheetColumn("name", [("a",), ("total",)], left=True)
    >>> size, work = SheetColumn("size", [("3",), ("12",)]), SheetColumn("work", [("8*L*d**2 + 7*L*d",), ("9*n",)])
    >>> print("\n".join(following(name, [size, work], 18)))
    name   size
    ───────────
    a         3
    ───────────
    total    12
    <BLANKLINE>
    name   work
    ───────────────
    a      8*L*d**2
           + 7*L*d
    ───────────────
    total  9*n
    """
    lines, left = list[str](), list(others)
    room = width - name.width(sheet.SECOND)
    while left:
        beside = [left.pop(0)]
        while left and sum(column.width(sheet.FIRST) + len(sheet.GAP) for column in (*beside, left[0])) <= room:
            beside.append(left.pop(0))
        lines += [""] * bool(lines) + _table(name, beside, room - len(sheet.GAP))
    return lines


def _table(name: SheetColumn, beside: Sequence[SheetColumn], room: int) -> list[str]:
    """One table; a column that is alone may have cells of several lines, which begin together."""
    broken = beside[0].width(sheet.FIRST) > room
    cells = [
        [wrapped(ways[sheet.FIRST], room) or [""] if broken else [ways[sheet.FIRST]] for ways in column.cells]
        for column in beside
    ]
    labels = [[text] for text in name.texts(name.width(sheet.SECOND))]
    rows = [list(zip_longest(*row, fillvalue="")) for row in zip(labels, *cells, strict=True)]
    left = [0, *([1] if broken else [])]
    lines = sheet.columns([each.title for each in (name, *beside)], [line for row in rows for line in row], left)
    foot = len(rows[-1])
    return [*lines[:-foot], next(line for line in lines if set(line) == {"─"}), *lines[-foot:]]
