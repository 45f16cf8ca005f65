"""What a table knows of its program cut over a mesh: the plan, what one device does, and what the devices exchange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from symcost.costs.cost import Count
from symcost.costs.mesh.alone import Alone, WhereAlone
from symcost.costs.mesh.collectives import Collective, Kind, communication
from symcost.costs.mesh.plan import Plan
from symcost.costs.parts import Parts, known
from symcost.formulas.symbols import Evaluator


@dataclass(frozen=True)
class Sharded:
    """A program cut over a mesh: the table of one device, and its collectives, at a point or in symbols."""

    plan: Plan
    table: Any
    """The cost table of one device."""
    rows: tuple[Collective, ...]
    point: Mapping[str, int] = field(default_factory=dict)
    others: tuple[Sharded, ...] = ()
    """The same where the mesh's axes stand in another order, of which XLA's partitioner makes another program."""
    alone: tuple[Alone, ...] = ()
    """Which axes may have one device besides."""
    at_one: tuple[str, ...] = ()
    """Symbols of axes that have one device."""

    def at(self, point: Mapping[str, int]) -> Sharded:
        """The same at a point, which is checked when its numbers are asked for: of several orders the one that it is in."""
        here = {**self.point, **point}
        every = [replace(self, others=()), *self.others]
        inside = [each for each in every if each.holds(here)] or [
            short for each in every for short in each.shorter() if short.is_asked(here) and short.holds(here)
        ]
        chosen, *rest = inside or every
        return replace(chosen, point=here, others=tuple(rest) if inside else self.others)

    def holds(self, point: Mapping[str, int]) -> bool:
        """Whether nothing says that a point is outside of where the form holds."""
        return self.table.domain.problem(self.own(point)) is None

    def shorter(self) -> Iterator[Sharded]:
        """The form where axes have one device, for each choice of them that was compared with fresh programs."""
        for each in self.alone:
            rows = tuple(each.rows(self.plan, self.rows))
            table = self.table.where(WhereAlone(self.table.domain, each))
            yield replace(self, table=table, rows=rows, others=(), alone=(), at_one=each.symbols)

    def is_asked(self, point: Mapping[str, int]) -> bool:
        """Whether a point says that the axes have one device."""
        return all(point.get(name) == 1 for name in self.at_one)

    @property
    def device(self) -> Any:
        """The cost table of one device. Errors: a point outside its domain, or beyond what was tried."""
        return self.table.subs(**self.own(self.point)) if self.point else self.table

    @property
    def collectives(self) -> tuple[Collective, ...]:
        """The collectives of one run of the program, in the order in which they run."""
        if not self.point:
            return self.rows
        self.table.domain.check(self.own(self.point))
        return tuple(row.map(self._value) for row in self.rows)

    @property
    def communication(self) -> dict[tuple[Kind, tuple[str, ...]], Count]:
        """Bytes on one device by kind and axes."""
        return communication(self.collectives)

    def own(self, point: Mapping[str, int]) -> dict[str, int]:
        """What of a point the table of one device knows."""
        return {name: value for name, value in point.items() if name in self.table.symbols}

    def _value(self, number: Any) -> Any:
        if isinstance(number, int):
            return number
        known = {symbol: self.point[str(symbol)] for symbol in number.free_symbols if str(symbol) in self.point}
        if len(known) < len(number.free_symbols):
            return number.xreplace(known).doit()
        return Evaluator(self.point)(number)


class OnMesh:
    """What a table tells of its program cut over the mesh of a plan."""

    parts: Parts

    @property
    def plan(self) -> Plan | None:
        """The plan that it was traced with, if there is one."""
        return None if self.parts.sharded is None else self.parts.sharded.plan

    @property
    def per_device(self) -> Self:
        """The table of one device: its parameters, state, MACs, FLOPs, activations, in the sizes of model and mesh.

        Raises :class:`symcost.SymcostError` where it was traced without a plan, and :class:`symcost.DomainError` at a point
        that an axis does not divide, or beyond what was tried.
        """
        return self._sharded.device

    @property
    def collectives(self) -> tuple[Collective, ...]:
        """A row for every collective of a run of the program, in the order in which they run; errors as of ``per_device``."""
        return self._sharded.collectives

    @property
    def communication(self) -> Mapping[tuple[Kind, tuple[str, ...]], Count]:
        """Bytes that one device exchanges in a run of the program, by kind and axes: the sum of ``bytes * times`` of the rows."""
        return self._sharded.communication

    @cached_property
    def sides(self) -> tuple[Self, ...]:
        """The table for each form that its program on a mesh has, each where sizes stand in one order; itself where it is one."""
        every = self._forms
        return tuple(self._with(replace(each, others=())) for each in every) if len(every) > 1 else (self,)

    @cached_property
    def shorter(self) -> tuple[Self, ...]:
        """The table for each choice of axes that have one device, in each of its forms."""
        return tuple(self._with(short) for each in self._forms for short in each.shorter())

    @property
    def _forms(self) -> list[Sharded]:
        """Every form of the program on a mesh; none without a plan."""
        return [] if self.parts.sharded is None else [self.parts.sharded, *self.parts.sharded.others]

    def side_at(self, point: Mapping[str, int]) -> Self:
        """The table with the form of its program on a mesh that holds at a point; itself where none does, or there is no plan."""
        for each in (*self.sides, *self.shorter):
            own = None if each.parts.sharded is None else each.parts.sharded.table.domain
            if own is not None and own.problem({**self.parts.point, **point}) is None:
                return each
        return self

    def _with(self, sharded: Sharded) -> Self:
        """The same table with another form of its program on a mesh."""
        raise NotImplementedError

    @property
    def _sharded(self) -> Sharded:
        return known(self.parts.sharded, "this table knows no mesh of devices: trace with plan=sc.Plan(mesh, shard)")
