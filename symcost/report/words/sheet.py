"""Tables of texts as every report writes them: columns for a terminal, Markdown, CSV."""

from __future__ import annotations

import csv as csv_format
import io
from collections.abc import Collection, Iterable, Sequence
from typing import Any

Cells = Sequence[str]
GAP = "  "


def columns(header: Cells, rows: Iterable[Cells], left: Collection[int] = ()) -> list[str]:
    r"""Lines of equal columns, the ones that are not ``left`` ending together; below the header a rule.

    >>> print("\n".join(columns(("name", "value"), [("macs", "1,024"), ("params", "8")], left=[0])))
    name    value
    ─────────────
    macs    1,024
    params      8
    """
    lines = [header, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    head, *below = (
        GAP.join(cell.ljust(width) if i in left else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines
    )  # fmt: skip
    return [head, "─" * max(map(len, [head, *below])), *below]


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


def csv(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """One line a row, without the last line's end."""
    file = io.StringIO()
    lines = csv_format.writer(file, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(rows)
    return file.getvalue().rstrip("\n")
