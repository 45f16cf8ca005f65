"""Tables as they are printed, read back: titles and cells of their columns of numbers."""

from __future__ import annotations

import re


def read(printed: str) -> tuple[list[str], list[list[str]], list[str]]:
    """Titles, cells of every line, and of the last line, the total, of the first table with a rule above its total.

    A column ends where the lowest line of its title ends, and an empty cell is one that does not end there.
    """
    lines = printed.splitlines()
    first, second = [k for k, line in enumerate(lines) if line and set(line) == {"─"}][:2]
    titles = [(found.group(), found.end()) for found in re.finditer(r"\S+(?: \S+)*", lines[first - 1])]
    *modules, total = [
        [_cell(line, end) for _, end in titles] for line in (*lines[first + 1 : second], lines[second + 1])
    ]
    return [title for title, _ in titles], modules, total


def _cell(line: str, end: int) -> str:
    ends = len(line) >= end and line[end - 1] != " " and line[end : end + 1] in ("", " ")
    return re.split(r"\s{2,}", line[:end])[-1] if ends else ""


def number(cell: str) -> int:
    """The exact number of a cell; an empty one is 0."""
    return int(cell.replace(",", "")) if cell else 0
