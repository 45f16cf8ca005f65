"""Tables of texts as every report writes them: columns for a terminal, Markdown, CSV."""

from __future__ import annotations

import csv as csv_format
import io
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.formulas.text import wrapped
from symcost.formulas.units import as_number, physical

Cells = Sequence[str]
GAP = "  "
NARROW = 30
"""Columns that the text beside a title has at least."""
FIRST, SECOND, THIRD = range(3)
KEPT = 100
"""The place of a column that is never left out."""
SMALL = ("s", "J")
"""Units of amounts that are no counts: told in few digits."""
PAGE = 100
"""Columns of a page that says nothing of its own."""


def terminal() -> int:
    """Columns of the terminal, or of a page where there is none."""
    return shutil.get_terminal_size((PAGE, 24)).columns


@dataclass(frozen=True)
class SheetColumn:
    """A column whose cells have one text, or ever shorter ones: all are shown in the first way that has room, none is ever cut.

    Where there is no room even for the second ones the columns of the lowest ``place`` are left out; where that does not help
    a cell that is longer than its column is told in the third. A title may have several lines.
    """

    title: str
    cells: Sequence[tuple[str, ...]]
    place: int = KEPT
    left: bool = False

    def width(self, way: int) -> int:
        """What it needs where every cell is shown in that way, or in the last one that it has."""
        return max([_longest(self.title), *(len(ways[min(way, len(ways) - 1)]) for ways in self.cells)])

    def texts(self, width: int) -> list[str]:
        """Every cell in at most that width: all in the first way, or each in the second or else the last that it has."""
        if self.width(FIRST) <= width:
            return [ways[FIRST] for ways in self.cells]
        return [next((text for text in ways[SECOND:] if len(text) <= width), ways[-1]) for ways in self.cells]

    def within(self, width: int) -> int:
        """What it needs of a width for those cells that have room there in the second way."""
        return max(_longest(self.title), *map(len, self.texts(width)))


def _longest(title: str) -> int:
    return max(map(len, title.split("\n")))


def fitted(wanted: Sequence[SheetColumn], width: int) -> tuple[list[str], list[str]]:
    r"""Lines of the columns that have room, and the titles of those that are left out.

    >>> name = SheetColumn("name", [("a",), ("b",)], left=True)
    >>> size = SheetColumn("size", [("2*d**2 + d", "2*d**2 + …"), ("123",)], 1)
    >>> for line in fitted([name, size], 20)[0]:
    ...     print(line)
    name        size
    ────────────────
    a     2*d**2 + d
    b            123
    >>> fitted([name, size], 10)[1]
    ['size']
    """
    shown = list(wanted)
    while _needed(shown, SECOND) > width and any(column.place < KEPT for column in shown):
        shown.remove(min(shown, key=lambda column: column.place))
    shortest = SECOND if _needed(shown, SECOND) <= width else THIRD
    room = _shared(width - len(GAP) * (len(shown) - 1), shown, shortest)
    cells = [column.texts(size) for column, size in zip(shown, room, strict=True)]
    left = [i for i, column in enumerate(shown) if column.left]
    lines = columns([column.title for column in shown], zip(*cells, strict=True), left)
    return lines, [" ".join(column.title.split()) for column in wanted if column not in shown]


def _needed(kept: Sequence[SheetColumn], way: int) -> int:
    return sum(column.width(way) for column in kept) + len(GAP) * (len(kept) - 1)


def _shared(width: int, kept: Sequence[SheetColumn], way: int) -> list[int]:
    """What each column has: all that it would like while there is room, those that want least first, or what it needs.

    Where not all have room in the second way, as many cells of each as do come before whole ones.
    """
    sizes = [column.width(way) for column in kept]
    wishes = [[column.width(better) for column in kept] for better in range(way - 1, -1, -1)]
    left = width - sum(sizes)
    for wish in wishes:
        for i in sorted(range(len(kept)), key=lambda i: wish[i] - sizes[i]):
            size = wish[i] if wish[i] - sizes[i] <= left else kept[i].within(sizes[i] + left)
            left -= max(size - sizes[i], 0)
            sizes[i] = max(size, sizes[i])
    return sizes


def number(value: Any, unit: str = "") -> str:
    """A number in a cell: an integer with separators, seconds, joules and fractions in few digits, a name as it is.

    >>> from fractions import Fraction
    >>> number(1048576), number(Fraction(197627, 216000000), "s"), number(Fraction(7, 3)), number("gpt2")
    ('1,048,576', '914.9 us', '2.333', 'gpt2')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int) and unit not in SMALL:
        return f"{value:,}"
    return physical(value, unit).strip()


def columns(header: Cells, rows: Iterable[Cells], left: Collection[int] = ()) -> list[str]:
    r"""Lines of equal columns, the ones that are not ``left`` ending together; below the header a rule.

    >>> print("\n".join(columns(("name", "value"), [("macs", "1,024"), ("params", "8")], left=[0])))
    name    value
    ─────────────
    macs    1,024
    params      8
    """
    titles = _titles(header)
    lines = [*titles, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    made = [
        GAP.join(cell.ljust(width) if i in left else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    ]  # fmt: skip
    return [*made[: len(titles)], "─" * max(map(len, made)), *made[len(titles) :]]


def _titles(header: Cells) -> list[Cells]:
    """The lines of the header: titles of fewer lines stand at its foot."""
    split = [title.split("\n") for title in header]
    height = max(map(len, split), default=1)
    return list(zip(*(["" for _ in range(height - len(title))] + title for title in split), strict=True))


def pairs(found: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Titles, and beside them what they are; below them where that would leave narrow lines.

    >>> pairs([("a", "12 + d"), ("size", "3")], 80)
    ['a     12 + d', 'size  3']
    """
    margin = max((len(title) for title, _ in found), default=0) + len(GAP)
    if width - margin < NARROW:
        return [
            line for title, text in found for line in (title, *(GAP + line for line in wrapped(text, width - len(GAP))))
        ]
    return [
        ("" if k else title).ljust(margin) + line
        for title, text in found
        for k, line in enumerate(wrapped(text, width - margin))
    ]


def listed(header: Cells, rows: Iterable[Cells], width: int, left: Collection[int] = ()) -> list[str]:
    r"""Lines of equal columns; where they have no room titles have several lines, else every row is a list of its cells.

    Each cell of a list is below or beside its title.

    >>> print("\n".join(listed(("layer", "macs"), [("conv", "105,415,200"), ("head", "8")], 12, left=[0])))
    layer
      conv
    macs
      105,415,200
    <BLANKLINE>
    layer
      head
    macs
      8
    """
    rows = [list(row) for row in rows]
    for titles in (header, [title.replace("_", "_\n") for title in header]):
        lines = columns(titles, rows, left)
        if max(map(len, lines)) <= width:
            return lines
    blocks = [pairs([(title, cell) for title, cell in zip(header, row, strict=True) if cell], width) for row in rows]
    return [line for k, block in enumerate(blocks) for line in ([""] * (k > 0) + block)]


def hung(text: str, width: int, margin: str = "") -> list[str]:
    """A sentence behind a margin, and its other lines a little further in.

    >>> hung("at n=1: 25,557,032 -> 44,549,160", 24, "  ")
    ['  at n=1: 25,557,032 ->', '      44,549,160']
    """
    lines = wrapped(text, width - len(margin))
    if len(lines) < 2:
        return [margin + text]
    first, further = lines[0], " " * len(margin) + 2 * GAP
    rest = " ".join(text.split()).removeprefix(first).strip()
    return [margin + first, *(further + line for line in wrapped(rest, width - len(further)))]


def markdown(header: Cells, rows: Iterable[Cells], right: Collection[int] = ()) -> str:
    """A table in Markdown of cells that are escaped already, its ``right`` columns ending together.

    >>> print(markdown(("name", "value"), [("macs", "1,024")], right=[1]))
    | name | value |
    | --- | ---: |
    | macs | 1,024 |
    """
    lines = [header, ["---:" if i in right else "---" for i in range(len(header))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    for character in "\\`*_{}[]<>#|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def decimal(value: Any) -> Any:
    """A number as spreadsheets read it: an integer as it is, a fraction as the nearest decimal number of a float's digits.

    >>> from fractions import Fraction
    >>> decimal(1048576), decimal(Fraction(1, 4320000)), decimal("gpt2")
    (1048576, 2.3148148148148148e-07, 'gpt2')
    """
    exact = None if isinstance(value, str | int) else as_number(value)
    return value if exact is None else exact.numerator if exact.denominator == 1 else float(exact)


def measured(name: str, unit: str) -> str:
    """The title of a column whose numbers stand without their unit.

    >>> measured("latency", "s"), measured("macs", "")
    ('latency (s)', 'macs')
    """
    return f"{name} ({unit})" if unit else name


def csv(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """One line a row, without the last line's end."""
    file = io.StringIO()
    lines = csv_format.writer(file, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    return file.getvalue().rstrip("\n")
