"""Receptive fields: how much of the input one output sees, carried from value to value along each spatial axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symcost.formulas.compared.dominance import dominates
from symcost.formulas.form import as_form
from symcost.layers.sizes.algebra import Size, exact, largest, ratio
from symcost.layers.sizes.tensor import Tensor

Axis = tuple[Size, Size]
"""The places of the input that are seen, and how far apart neighbouring outputs look."""
Seen = tuple[Axis, ...]
"""The same along each axis."""
Reach = Sequence[tuple[Size, Size]]
"""Along each axis the places that a window reaches over, and its stride."""


@dataclass
class Fields:
    """What every value of a network sees; None where it sees everything.

    A window of reach ``d(k - 1) + 1`` and stride ``s`` after fields ``r`` that lie ``j`` apart: ``r + d(k - 1) j``,
    ``j s`` apart.
    """

    seen: dict[int, Seen | None] = field(default_factory=dict)

    def enter(self, x: Tensor) -> None:
        """The input sees itself."""
        self.seen[x.value] = ((1, 1),) * (len(x.shape) - 2)

    def made(self, value: int, ins: Sequence[Tensor], places: int, reach: Reach | None, everything: bool) -> None:
        """A value with ``places`` spatial axes made from others, through windows where there are any."""
        known = [self.seen.get(x.value) for x in ins if x.value in self.seen]
        joined = None if everything or None in known or not known else _joined([k for k in known if k is not None])
        if joined is not None and reach is not None:
            joined = tuple(
                (exact(r + (far - 1) * j), exact(j * s)) for (r, j), (far, s) in zip(joined, reach, strict=True)
            )
        self.seen[value] = joined if joined is not None and len(joined) == places else None

    def same(self, value: int, made: int) -> None:
        """A value in the place of another sees as much."""
        if value in self.seen:
            self.seen[made] = self.seen[value]

    @property
    def newest(self) -> int:
        """The newest value."""
        return max(self.seen, default=0)

    def repeated(self, x: Tensor, out: Tensor, times: Size, since: int) -> None:
        """A block between ``x`` and ``out`` runs ``times`` times: values newer than ``since`` are those of the last run.

        With the block's stride ``s`` every run adds ``s`` times what the last did. A stride as often as a symbol says
        reaches, with ``s^times``, everywhere.
        """
        before, after = self.seen.get(x.value), self.seen.get(out.value)
        if before is None or after is None:
            return
        for value in [value for value in self.seen if since < value <= out.value]:
            inside = self.seen[value]
            if inside is not None and len(inside) == len(before):
                axes = [_last(*parts, times) for parts in zip(before, after, inside, strict=True)]
                self.seen[value] = tuple(axis for axis in axes if axis) if all(axes) else None

    def field(self, value: int) -> tuple[Size, ...] | None:
        """The receptive field of a value, along each axis; None for the whole input."""
        seen = self.seen.get(value)
        return None if seen is None else tuple(r for r, _ in seen)


def _last(before: Axis, after: Axis, inside: Axis, times: Size) -> Axis | None:
    """One axis of a value inside a block in the last of ``times`` runs, from before, after and inside the first."""
    r, grown, s = before[0], after[0] - before[0], ratio(after[1], before[1])
    if s == 1:
        return exact(inside[0] + (times - 1) * grown), inside[1]
    if not isinstance(times, int):
        return None
    entered = r + grown * sum((s**run for run in range(times - 1)), start=0)
    return exact(entered + (inside[0] - r) * s ** (times - 1)), exact(inside[1] * s ** (times - 1))


def _joined(known: list[Seen]) -> Seen | None:
    """The widest of several ways, along each axis; none where they do not have the same axes."""
    if len({len(seen) for seen in known}) != 1:
        return None
    return tuple((_widest([r for r, _ in axis]), axis[0][1]) for axis in zip(*known, strict=True))


def _widest(sizes: list[Any]) -> Size:
    for size in sizes:
        if all(dominates(as_form(size), as_form(other)) for other in sizes):
            return size
    return largest(sizes)
