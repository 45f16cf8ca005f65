"""A program as flat records: every equation of the jaxpr that costs or stores something, calls opened, loops counted.

A record keeps what never varies (its :class:`Key`: path, phase, operation, static facts, number types and ranks)
apart from what may vary (``sizes``: a flat tuple of integers). Two traces of one model at different sizes therefore
align record by record, and each position of ``sizes`` is a column to fit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from symcost.rules import Array, Facts, Op
from symcost.rules.families.layout import MOVES
from symcost.tracing.constants import Held

FROZEN, WEIGHT = "frozen", "weight"
"""What is said of a parameter behind its name: it is not trained; it is an operand of products."""


class Key(NamedTuple):
    """Everything about an equation that must be equal for two traces to be the same program."""

    path: str
    phase: str
    op: str
    static: tuple[Any, ...]
    fact_names: tuple[tuple[str, int], ...]
    ins: tuple[tuple[str, int], ...]  # (number type, rank)
    outs: tuple[tuple[str, int], ...]
    weights: tuple[bool, ...]  # per operand: made of parameters and constants only
    loops: tuple[str, ...]  # symbols of unknown trip counts around it
    source: (
        str  # "rule", "own", "replaced", "probe", "estimate", "kernel", "stated kernel", "cond"; "shape": shapes only
    )


@dataclass(slots=True)
class Record:
    """One equation: its key, its integers, the values it reads and writes (for liveness), branches of a cond."""

    key: Key
    sizes: tuple[Any, ...]
    ins: tuple[int, ...] = ()
    outs: tuple[int, ...] = ()
    branches: tuple[list[Record], ...] = ()
    origin: tuple[Any, ...] = ()  # of the sizes of its facts, see Facts
    beside: tuple[Any, ...] = ()

    @property
    def times(self) -> Any:
        """How often the program executes it: known trip counts multiplied."""
        return self.sizes[-2]

    @property
    def is_bound(self) -> bool:
        """Whether its cost is an upper bound rather than an exact count: that of a conditional, or around one."""
        return self.key.source == "cond" or any(inner.is_bound for branch in self.branches for inner in branch)

    @property
    def xla_times(self) -> Any:
        """How often XLA's cost analysis counts it: loop bodies once."""
        return self.sizes[-1]

    def shapes(self, types: Sequence[tuple[str, int]], start: int = 0) -> tuple[Array, ...]:
        """Arrays of the operands (``start`` 0) or results, with the record's sizes as dimensions."""
        arrays = []
        for dtype, rank in types:
            arrays.append(Array(tuple(self.sizes[start : start + rank]), dtype))
            start += rank
        return tuple(arrays)

    @property
    def operands(self) -> tuple[Array, ...]:
        """The operands' arrays."""
        return self.shapes(self.key.ins)

    @property
    def results(self) -> tuple[Array, ...]:
        """The results' arrays."""
        return self.shapes(self.key.outs, sum(rank for _, rank in self.key.ins))

    @property
    def facts(self) -> slice:
        """Where the sizes of the facts lie."""
        return slice(sum(rank for _, rank in (*self.key.ins, *self.key.outs)), -2)

    def op(self) -> Op:
        """What a rule sees."""
        start = self.facts.start
        sizes = {}
        for name, count in self.key.fact_names:
            sizes[name] = tuple(self.sizes[start : start + count])
            start += count
        return Op(self.key.op, self.operands, self.results, Facts(self.key.static, sizes, self.origin, self.beside))


class Event(NamedTuple):
    """One step of memory: a record (or nothing) that writes ``outs`` and reads ``ins``."""

    record: Record | None
    outs: tuple[tuple[int, int], ...]  # (value, position among the record's results)
    ins: tuple[int, ...]
    in_place: bool = False


@dataclass
class Program:
    """One trace: what enters, the records in order, and the order in which values are made and last used."""

    records: list[Record] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    inputs: list[Record] = field(default_factory=list)  # parameters, state and inputs, in order
    outputs: tuple[int, ...] = ()
    residuals: list[Record] = field(default_factory=list)
    strides: set[int] = field(default_factory=lambda: {2})  # of windows and slices: steps that sizes are floored by
    constants: tuple[Held, ...] = ()  # the arrays that the program holds
    numbers: tuple[Any, ...] = ()  # known operands that decide whether an equation stays, in order
    closed: Any = None  # the jaxpr itself, as long as it is the latest one
    unknown_trips: dict[str, str] = field(default_factory=dict)  # symbol -> what it is the trip count of
    unknown_macs: dict[str, str] = field(default_factory=dict)  # symbol -> the kernel, and why its MACs are not known

    @property
    def constant_bytes(self) -> int:
        """Bytes of the arrays that the program holds."""
        return sum(array.size for array in self.constants)

    @property
    def has_empty(self) -> bool:
        """Whether an equation computes an array of no elements; one that only moves data makes such a part of others."""
        computing = (record for record in self.records if record.key.op not in MOVES)
        return any(0 in array.shape for record in computing for array in record.results)

    def new_trips(self, path: str) -> str:
        """A symbol for the unknown trip count of a loop in the module at ``path``."""
        stem = "trips_" + (re.sub(r"\W+", "_", path) or "loop")
        name, number = stem, 1
        while name in self.unknown_trips:
            number += 1
            name = f"{stem}_{number}"
        self.unknown_trips[name] = path
        return name
