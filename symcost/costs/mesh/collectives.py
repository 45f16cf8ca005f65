"""What the devices of a mesh say to each other: one row for every collective of a program that is cut over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import sympy

from symcost.costs.cost import Count

Kind = Literal["all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Collective:
    """One collective of a sharded program, as every device takes part in it.

    ``kind``: as XLA names it. ``axes``: the axes of the mesh along which devices exchange, in the mesh's order; ``size``: the
    number of devices in a group, the product of their sizes. ``bytes``: of the larger of operand and result on one device
    (all-gather: the gathered result; reduce-scatter: the operand; the others: either), per execution. ``times``: how
    often one run of the program does it. ``path`` and ``phase``: the module that it serves, and when. ``dtype``: what is
    sent, as the program has it.

    >>> row = Collective(kind="all-gather", axes=("data",), size=8, bytes=4096, times=3)
    >>> row.total
    12288
    """

    kind: Kind
    axes: tuple[str, ...]
    size: Count
    bytes: Count
    times: Count = 1
    path: str = ""
    phase: str = "forward"
    dtype: str = ""

    @property
    def total(self) -> Count:
        """Bytes of all executions: ``bytes * times``."""
        return self.bytes * self.times

    def map(self, function: Callable[[Any], Any]) -> Collective:
        """The row with ``function`` applied to every number."""
        return replace(self, size=function(self.size), bytes=function(self.bytes), times=function(self.times))


def communication(rows: Iterable[Collective]) -> dict[tuple[Kind, tuple[str, ...]], Count]:
    """Bytes of all executions on one device, by kind and axes, in order of first appearance.

    >>> gather = Collective(kind="all-gather", axes=("data",), size=8, bytes=4096, times=3)
    >>> communication([gather, gather])
    {('all-gather', ('data',)): 24576}
    """
    found: dict[tuple[Kind, tuple[str, ...]], list[Count]] = {}
    for row in rows:
        found.setdefault((row.kind, row.axes), []).append(row.total)
    return {key: _sum(totals) for key, totals in found.items()}


def _sum(numbers: list[Count]) -> Count:
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers)
    return sympy.Add(*(sympy.expand(number) for number in numbers))
