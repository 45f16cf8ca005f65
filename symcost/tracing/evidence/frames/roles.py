"""What a value that was read again and again is: a constant, a size, a layer's index, a width that grows by stages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.tracing.evidence.frames.values import ARRAY, UNKNOWN, Table, TextMethod

Point = Mapping[str, int]
HALVED = 64
"""A float that is a whole number of parts so small at most is exactly that."""
NAMES = {"const": "a constant", "size": "a size", "index": "an index", "stage": "a size by stages", "real": "layers' floats",
         "fixed": "a loop's own", "varies": "values that follow no rule", "other": "no number", "unknown": "not known"}  # fmt: skip


@dataclass(frozen=True)
class Role:
    """A value's part in the program.

    ``const`` has a ``value``; ``size`` is ``slope*symbol + shift``; ``index`` runs from ``first`` in equal steps and
    ``stage`` by equal factors, once a layer of any of ``symbols``; ``fixed`` takes the same values at every depth; ``real``
    are floats, with the least and the largest of each run as ``value``.
    """

    kind: str
    value: Any = None
    symbols: tuple[str, ...] = ()
    slope: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)
    first: int = 0

    @property
    def moves(self) -> bool:
        """Whether it changes from layer to layer, for all that is known."""
        return self.kind in ("index", "stage", "varies", "real")

    def is_beyond(self, number: Fraction) -> bool:
        """Whether a number lies beyond an end of all these floats that is the same one at every depth, or is that end."""
        lows, highs = ({ends[side] for ends in self.value} for side in (0, 1))
        return (len(lows) == 1 and number <= min(lows)) or (len(highs) == 1 and number >= max(highs))


@dataclass(frozen=True)
class Column:
    """The values of one leaf, in order, at each point."""

    text: str
    points: tuple[Point, ...]
    values: tuple[tuple[Any, ...], ...]

    @property
    def known(self) -> list[Any]:
        """All values that could be read."""
        return [v for values in self.values for v in values if v is not UNKNOWN]

    def mapped(self, change: Any, text: str) -> Column:
        """The column of what follows from each value."""
        return Column(text, self.points, tuple(tuple(map(change, values)) for values in self.values))

    @property
    def items(self) -> list[Column] | None:
        """The columns of a container's items, where it is one of a fixed length."""
        known = self.known
        if not known or not all(isinstance(v, Table) for v in known):
            return None
        if len({v.length for v in known}) != 1 or any(len(v.items) != v.length for v in known):
            return None
        return [
            self.mapped(lambda v, k=k: v.items[k] if isinstance(v, Table) else v, f"{self.text}[{k}]")
            for k in range(known[0].length)
        ]

    @property
    def length(self) -> Column:
        """The column of a container's lengths."""
        return self.mapped(lambda v: v.length if isinstance(v, Table) else UNKNOWN, f"len({self.text})")


def role(column: Column, symbols: Collection[str]) -> Role:
    """The role of a column; ``symbols`` are those that may be depths."""
    known = column.known
    if not known:
        return Role("unknown")
    if any(v is ARRAY for v in known):
        return Role("other", ARRAY)
    if all(_same(v, known[0]) for v in known):
        return _alone(column, known[0], symbols)
    floats = all(type(v) in (int, float) for v in known) and not all(type(v) is int for v in known)
    if not all(type(v) is int for v in known) and not _texts(known) and not floats:
        return Role("other")
    series = [list(dict.fromkeys(v for v in values if v is not UNKNOWN)) for values in column.values]
    if _texts(known):
        return _told(column, series, symbols)
    if floats:
        return _real(column, series, symbols)
    if all(len(values) <= 1 for values in series):
        return _size(column, [values[0] if values else None for values in series], symbols)
    return _moving(column, series, symbols)


def _texts(known: Sequence[Any]) -> bool:
    """Whether all are text: names of layers, kinds of them, methods of such."""
    return all(type(v) in (str, TextMethod) for v in known)


def _real(column: Column, series: Sequence[list[Any]], symbols: Collection[str]) -> Role:
    """Floats: a share of a depth where they are such exactly, ``L / 2``; or others with each layer."""
    if not all(math.isfinite(v) for values in series for v in values):
        return Role("other")
    if all(len(values) <= 1 for values in series):
        size = _size(column, [Fraction(values[0]) if values else None for values in series], symbols)
        if size.kind == "size" and max(size.slope.denominator, size.shift.denominator) <= HALVED:
            return size
    told = _told(column, series, symbols)
    ends = tuple((min(values), max(values)) for values in series if values)
    return Role("real", ends, told.symbols) if told.symbols else told


def _told(column: Column, series: Sequence[list[Any]], symbols: Collection[str]) -> Role:
    """Text that varies: of as many kinds at every depth, or another one with each layer."""
    runs = list(zip(column.points, series, strict=True))
    deeper = tuple(name for name in symbols if _grows(name, runs, symbols)) if len(runs) > 1 else tuple(symbols)
    return Role("varies", symbols=deeper) if deeper else Role("other")


def compared(points: Sequence[Point], symbols: Collection[str]) -> list[str]:
    """The symbols that have more than one value at some points."""
    return [name for name in symbols if len({point[name] for point in points if name in point}) > 1]


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


def _alone(column: Column, value: Any, symbols: Collection[str]) -> Role:
    """One value everywhere: a constant, or a depth whose value did not change."""
    point = column.points[0]
    unmoved = [s for s in symbols if type(value) is int and all(p.get(s) == value for p in column.points)]
    own = column.text.rpartition(".")[2]
    if own in unmoved and point.get(own) == value:
        return Role("size", symbols=(own,))
    return Role("const", value, tuple(unmoved))


def _size(column: Column, values: Sequence[Any], symbols: Collection[str]) -> Role:
    """One value at each point: ``slope*symbol + shift`` of the one symbol that explains it, the simplest first."""
    pairs = [(point, value) for point, value in zip(column.points, values, strict=True) if value is not None]
    fits = [fit for name in pairs[0][0] if (fit := _line(name, pairs)) is not None]
    if not fits:
        return Role("varies", symbols=tuple(compared(column.points, symbols)))
    name, slope, shift = min(fits, key=lambda fit: (fit[2] != 0, fit[1] != 1, fit[1].denominator, abs(fit[2])))
    return Role("size", symbols=(name,), slope=slope, shift=shift)


def _line(name: str, pairs: Sequence[tuple[Point, Any]]) -> tuple[str, Fraction, Fraction] | None:
    """The line through values over one symbol."""
    at = {point[name]: value for point, value in pairs}
    if len(at) < 2:
        return None
    (x0, y0), (x1, y1) = list(at.items())[:2]
    slope = Fraction(y1 - y0) / (x1 - x0)
    shift = y0 - slope * x0
    if slope == 0 or any(slope * point[name] + shift != value for point, value in pairs):
        return None
    return name, slope, shift


def _moving(column: Column, series: Sequence[list[int]], symbols: Collection[str]) -> Role:
    """Several values in one run: by the longest run of them."""
    runs = list(zip(column.points, series, strict=True))
    deeper = [name for name in symbols if _grows(name, runs, symbols)]
    alike = [name for name in symbols if name not in compared(column.points, symbols)]
    if not deeper and not alike and symbols:
        return Role("fixed", tuple(dict.fromkeys(v for values in series for v in values)))
    values = max(series, key=len)
    point = column.points[series.index(values)]
    near = [n for n in alike if n in point and abs(len(values) - point[n]) <= 1]
    names = tuple(deeper or near or alike)
    plain = len(values) > 2 or bool(deeper or near)
    step = values[1] - values[0] if len(values) > 1 else 1
    if plain and all(b - a == step for a, b in itertools.pairwise(values)):
        return Role("index", None, names, Fraction(abs(step)), first=min(values))
    if plain and 0 not in values:
        ratio = Fraction(values[1], values[0])
        if ratio > 0 and all(Fraction(b, a) == ratio for a, b in itertools.pairwise(values)):
            return Role("stage", None, names, ratio, first=values[0])
    return Role("index" if _counts(values) else "varies", None, names, first=min(values))


def _grows(name: str, runs: Sequence[tuple[Point, list[Any]]], symbols: Collection[str]) -> bool:
    """Whether other values come with another depth: told by runs that differ in it alone, where there are such."""
    differing = [
        (set(v) != set(w), all(p.get(other) == q.get(other) for other in symbols if other != name))
        for (p, v), (q, w) in itertools.combinations(runs, 2)
        if name in p and name in q and p[name] != q[name]
    ]
    alone = [changed for changed, only in differing if only]
    return any(alone) if alone else any(changed for changed, _ in differing)


def _counts(values: Sequence[int]) -> bool:
    """Whether small whole numbers without a gap: an index in another order."""
    return sorted(values) in (list(range(len(values))), list(range(1, len(values) + 1)))


def stages(role: Role, value: Fraction, most: int) -> list[int]:
    """After how many stages ``first * ratio**k`` reaches a value; none where it never does."""
    up, reached, count = role.slope > 1, Fraction(role.first), 0
    while value > 0 and (reached < value if up else reached > value) and count < most:
        reached, count = reached * role.slope, count + 1
    return [count] if count else []
