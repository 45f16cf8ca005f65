"""The bars of a picture: a table's modules, cut to a depth, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.costs.exact import number
from symcost.costs.rows import Row, running
from symcost.errors import SymcostError
from symcost.reading.numerals import is_positive, short
from symcost.report.words.grouping import ITSELF, only_operation, standing

MOST = 24
"""Bars, where no depth is given: the deepest cut that has no more, and the first where every cut has."""
LONG = 26
"""Characters below a bar."""


def cut(path: str, depth: int) -> str:
    """A module's path cut to so many parts.

    >>> cut("blocks/0/up", 2), cut("", 1)
    ('blocks/0', '(itself)')
    """
    return "/".join(path.split("/")[:depth]) or ITSELF


def tail(path: str, most: int) -> str:
    """A path, or where it is longer than so many characters its last parts.

    >>> tail("blocks/block_#/attention/query", 20), tail("stem/conv", 20)
    ('…/attention/query', 'stem/conv')
    """
    left = path
    while len(left) > most and "/" in left:
        left = left.partition("/")[2]
    return left if left == path else f"…/{left}"


def depth_of(rows: Sequence[Row], depth: int | None) -> int:
    """The depth asked for, or the deepest that leaves few bars."""
    if depth is not None:
        if not is_positive(depth):
            raise SymcostError(f"depth={short(depth)} must be a positive integer: the parts of a path that a bar names")
        return depth
    paths = {row.path for row in rows}
    deepest = max((path.count("/") + 1 for path in paths), default=1)
    few = [cutting for cutting in range(1, deepest + 1) if len({cut(path, cutting) for path in paths}) <= MOST]
    return max(few, default=1)


def in_order(rows: Sequence[Row], depth: int) -> list[str]:
    """The blocks of a depth as they run; parameters are listed before the operations, and settle the order of no others."""
    first: dict[str, int] = {}
    for row, order in zip(rows, running(rows), strict=True):
        block = cut(row.path, depth)
        first[block] = min(order, first.get(block, order))
    return sorted(first, key=first.__getitem__)


def labelled(axes: Any, rows: Sequence[Row], depth: int, names: Sequence[str]) -> None:
    """The names of bars below them, the smaller the more there are; alike blocks with their number."""
    size = "x-small" if len(names) <= MOST else "xx-small"
    short = [tail(name, LONG) for name in names]
    told = [_itself(rows) if name == ITSELF else name for name in (short if len(set(short)) == len(names) else names)]
    shown = [f"{text}{_number(name, rows, depth)}" for text, name in zip(told, names, strict=True)]
    axes.set_xticks(range(len(names)), shown, rotation=60, ha="right", rotation_mode="anchor", fontsize=size)


def _itself(rows: Sequence[Row]) -> str:
    """What the model does outside of its modules, by its name where it is one thing."""
    return only_operation([row for row in rows if not row.path]) or ITSELF


def _number(block: str, rows: Sequence[Row], depth: int) -> str:
    """How many modules a block stands for, as ``block_#`` does, of whatever sizes; nothing where the table does not say it."""
    number = None if "#" not in block else standing([row for row in rows if cut(row.path, depth) == block], block)
    return "" if number is None or number == 1 else f" x {number}"


def as_float(value: Any, what: str) -> float:
    """A number as a place on paper; a formula with symbols left is an error that says of what."""
    return float(number(value, what))
