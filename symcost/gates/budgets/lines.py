"""Where budgets stand in their file: the lines that annotations point at."""

from __future__ import annotations

import re
from collections.abc import Mapping

_KEY = re.compile(r"\s*([A-Za-z_]+)\s*=")


def lines_of(name: str, text: str, number: int) -> list[Mapping[str, int]]:
    r"""Of each of a model's budgets the lines of its entries by their keys, and under ``""`` that of its header.

    Budgets that are written inline stand where the model's table begins.

    >>> lines_of("x", "[models.x]\n[[models.x.budgets]]\nmacs = 3", 1)
    [{'': 2, 'macs': 3}]
    """
    title = rf"""(?:tool\.symcost\.)?models\.["']?{re.escape(name)}["']?"""
    model = re.compile(rf"\s*\[\s*{title}\s*\]")
    budget = re.compile(rf"\s*\[\[\s*{title}\.budgets\s*\]\]")
    start, budgets, inside = 1, [], False
    for line, written in enumerate(text.splitlines(), start=1):
        if model.match(written):
            start = line
        if budget.match(written):
            budgets.append({"": line})
        inside = bool(budgets) and (bool(budget.match(written)) or (inside and not written.lstrip().startswith("[")))
        key = _KEY.match(written)
        if inside and key:
            budgets[-1].setdefault(key.group(1), line)
    return budgets if len(budgets) == number else [{"": start}] * number
