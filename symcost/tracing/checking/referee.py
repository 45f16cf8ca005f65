"""One held-out point is lowered, and XLA's count of it decides whether the closed form's ``xla`` figures stand."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend import core

from symcost.agreement.judge import judged
from symcost.agreement.written import Written
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.said import Said
from symcost.costs.table import CostTable
from symcost.formulas.form import Form
from symcost.hlo import HloError
from symcost.rules.own import OWN, REPLACED
from symcost.tracing.checking.lowered import JAXLIB, hlo_text
from symcost.tracing.counting.structure import Line
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.program.axes import on_axes
from symcost.tracing.program.capture import lean
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.sample import Point

STORED = ("param", "state")


class Unlowered(Exception):
    """A program that jax does not lower here: kernels of other platforms, ordered effects."""


@dataclass
class Witness:
    """Of the held-out points the one whose program is the shortest to lower, kept from its trace where it can be.

    Sizes of 1 and equal sizes hide which of them a step depends on, so that points without any come first. One jaxpr is
    kept, beside the latest.
    """

    sampler: Sampler
    point: Point | None = None
    closed: Any = None
    _order: tuple[Any, ...] = ()

    def offer(self, point: Point) -> None:
        """A point where form and trace agree."""
        program = self.sampler(point)
        sizes = sorted(point.values())
        alike = sum(a == b for a, b in itertools.pairwise([1, *sizes]))
        order = program.closed is None, alike, len(program.records), sum(sizes)
        if self.point is None or order < self._order:
            self.point, self.closed, self._order = point, program.closed, order

    def ask(self, lines: Iterable[Line], loops: Iterable[str]) -> Said:
        """What XLA counts there beside the lines' figures; ``loops`` are symbols of unknown trip counts."""
        if self.point is None:
            return Said(None, "no held-out point was traced")
        point = self.point
        lines = list(lines)
        own = dict.fromkeys(line.record.key.op for line in lines if line.record.key.source in (OWN, REPLACED))
        if own:
            return Said(None, f"rules of one's own count {', '.join(own)}", point)
        try:
            text = self._text(point)
        except Unlowered as problem:
            return Said(None, str(problem), point)
        try:
            written = Written.of(text, {}, _paths(self.sampler(point)), JAXLIB)
            return judged(_table(lines, {**point, **dict.fromkeys(loops, 1)}), written, point)
        except HloError as problem:
            return Said(None, f"the lowered program cannot be counted ({problem})", point)

    def _text(self, point: Point) -> str:
        """The lowered program; it is traced again only where no held-out point had its trace kept."""
        effects: Iterable[Any] = ()
        try:
            closed = self.closed or lean(self.sampler.model, point)[1]
            effects = closed.effects
            if axes := self.sampler.model.axes:
                closed = jax.make_jaxpr(on_axes(core.jaxpr_as_fun(closed), axes))(*closed.in_avals)
            return hlo_text(closed)
        except Exception as problem:
            named = ", ".join(sorted({type(effect).__name__ for effect in effects}))
            reason = f"it has the effects {named}" if named else (str(problem).strip() or type(problem).__name__)
            raise Unlowered(f"the program cannot be lowered for the CPU ({reason.splitlines()[0]})") from problem


def _paths(program: Program) -> list[str | None]:
    """The modules of the program's arguments."""
    return [record.key.path if record.key.op in STORED else None for record in program.inputs]


def _table(lines: Iterable[Line], at: Mapping[str, int]) -> CostTable:
    """The lines' ``xla`` figures at a point."""
    known: dict[Form, Any] = {}

    def value(form: Any) -> Any:
        if not isinstance(form, Form):
            return form
        if form not in known:
            known[form] = form.value(at)
        return known[form]

    rows = []
    for line in lines:
        xla, times, key = line.costs[2], value(line.times[2]), line.record.key
        if times == 0:
            continue  # of a piece for elsewhere: it need not have a cost here
        cost = Cost(flops=value(xla.flops), transcendentals=value(xla.transcendentals))
        rows.append(Row(path=line.path, op=key.op, xla=cost, xla_times=times, phase=key.phase, source=key.source,
                        bound=line.record.is_bound))  # fmt: skip
    return CostTable(rows)
