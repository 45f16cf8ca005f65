"""A cost table at a point: every number is evaluated from the table's own formulas, when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from symcost.costs.cost import Cost
from symcost.costs.parts import Counts, Field, Parts
from symcost.costs.rows import Row
from symcost.formulas.extent import Extent, extent
from symcost.formulas.symbols import Evaluator
from symcost.reading.choices import AnyConvention, Rule, Unit

T = TypeVar("T")


def at_point(counts: Counts, parts: Parts, point: Mapping[str, int]) -> tuple[Counts, Parts]:
    """Counts and parts at a point; what has values already gets more of them."""
    if isinstance(counts, At):
        counts, parts, point = counts.counts, counts.parts, {**counts.point, **point}
    counts_there = At(counts, parts, point)
    return counts_there, counts_there.known()


class At(Counts):
    """Counts and parts with values for some symbols."""

    def __init__(self, counts: Counts, parts: Parts, point: Mapping[str, int]) -> None:
        super().__init__()
        self.counts, self.parts, self.point = counts, parts, {**parts.point, **point}
        self._evaluate = Evaluator(self.point)
        self._extents: dict[Any, Extent] = {}

    def value(self, expression: Any) -> Any:
        """An expression at the point: an integer, or what is left of it when symbols remain."""
        if isinstance(expression, int):
            return expression
        left = {str(s) for s in expression.free_symbols} - set(self.point)
        if left:
            extent(expression, self.point, self._extents)
            return expression.xreplace(
                {s: self.point[str(s)] for s in expression.free_symbols if str(s) in self.point}
            ).doit()
        return self._evaluate(expression)

    # -- counts ------------------------------------------------------------------------------------------------
    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        network, anew = self.parts.network, self._anew
        if network is not None and network.grows and anew is not None:
            return anew[0].rows
        seen: dict[int, Cost] = {}

        def at(cost: Any) -> Any:
            if id(cost) not in seen:
                seen[id(cost)] = cost.map(self.value)
            return seen[id(cost)]

        return tuple(row.map(self.value, at) for row in self.counts.rows)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows at the point; those of every block where blocks grow and their number is known."""
        return self._rows

    def counted(self, convention: AnyConvention) -> Cost:
        """The total formulas at the point."""
        return self.counts.total(convention).map(self.value)

    published = counted

    # -- parts -------------------------------------------------------------------------------------------------
    def known(self) -> Parts:
        """The parts at the point; one that the table has not is not there either."""
        parts = self.parts
        return replace(
            parts, symbols=tuple(name for name in parts.symbols or () if name not in self.point), point=self.point,
            peak=parts.peak and self._peak, peak_path=parts.peak_path and self._peak_path,
            residuals=parts.residuals and self._residuals, receptive_field=parts.receptive_field and self._field,
            receptive_fields=parts.receptive_fields and self._fields, network=None, anew=None,
            sharded=parts.sharded and parts.sharded.at(self.point),
        )  # fmt: skip

    @cached_property
    def _anew(self) -> tuple[Counts, Parts] | None:
        return self.parts.anew(self.point) if self.parts.anew is not None else None

    @property
    def _best(self) -> Parts:
        """The parts of the network made anew where formulas are means or bounds, else the table's own."""
        return self.parts if self._anew is None else self._anew[1]

    def _peak(self, rule: Rule, unit: Unit) -> Any:
        return self.value(_there(self._best.peak)(rule, unit))

    def _peak_path(self, rule: Rule, point: Mapping[str, int]) -> str:
        return _there(self._best.peak_path)(rule, {**self.point, **point})

    def _residuals(self) -> Any:
        return self.value(_there(self.parts.residuals)())

    def _at(self, field: Field) -> Field:
        return None if field is None else tuple(map(self.value, field))

    def _field(self) -> Field:
        return self._at(_there(self._best.receptive_field)())

    def _fields(self) -> Mapping[str, Field]:
        return {path: self._at(field) for path, field in _there(self._best.receptive_fields)().items()}


def _there(part: T | None) -> T:
    """A part that is there: :meth:`At.known` gives functions of those alone."""
    assert part is not None
    return part
