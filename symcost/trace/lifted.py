"""The result: a cost table in closed form with its certificate, domain and coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from symcost.cost import CONVENTIONS, FULL, METRICS, Cost
from symcost.dominance import largest
from symcost.errors import LiftError, SymcostError
from symcost.form import Form
from symcost.table import CostTable, Row, Substituted
from symcost.trace.certify import Certificate, LineTotals
from symcost.trace.costing import STATE, WRITTEN
from symcost.trace.domain import Domain
from symcost.trace.structure import Line

PEAKS = ("liveness", "textbook")
UNITS = ("elements", "bytes")


class Lifted(CostTable):
    """Closed forms of a traced model: totals, rows by module, peaks, and where and how they were checked."""

    def __init__(
        self,
        lines: Sequence[Line],
        totals: LineTotals,
        peaks: Mapping[tuple[str, str], list[Form] | str],
        residuals: Form | None,
        certificate: Certificate,
        domain: Domain,
        symbols: Sequence[str],
        unknown_trips: Mapping[str, str],
    ) -> None:
        super().__init__(())
        self._lines = lines
        self._line_totals = totals
        self._peaks = peaks
        self._residuals = residuals
        self.certificate = certificate
        self.domain = domain
        self.unknown_trips = dict(unknown_trips)
        self._symbols = tuple(symbols)

    @property
    def symbols(self) -> tuple[str, ...]:  # type: ignore[override]
        """The model's symbols, and those of loops whose trip count the program does not say."""
        return (*self._symbols, *self.unknown_trips)

    @cached_property
    def _converted(self) -> _Converter:
        return _Converter()

    @cached_property
    def _made_rows(self) -> tuple[Row, ...]:
        return tuple(self._row(line) for line in self._lines)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation in execution order; alike blocks share a row, with their number in ``times``."""
        return self._made_rows

    def _row(self, line: Line) -> Row:
        record, to = line.record, self._converted
        full, textbook, xla = (to.cost(cost) for cost in line.costs)
        times, _, xla_times = line.times
        op = record.key.op
        if record.key.source == "input" and record.key.static:
            op = f"{op} {record.key.static[0]}".strip()
        outs = [tuple(to(d) for d in array.shape) for array in record.results]
        return Row(
            path=line.path, op=op, cost=full, textbook=textbook, xla=xla, times=to(times), xla_times=to(xla_times),
            ins=tuple(tuple(to(d) for d in array.shape) for array in record.operands), out=outs[0] if outs else (),
            phase=record.key.phase, source=record.key.source, bound=record.is_bound,
            dtype=next((dtype for dtype, _ in record.key.outs), ""), in_dtypes=tuple(dtype for dtype, _ in record.key.ins),
            written=WRITTEN in record.key.static and op.startswith(STATE),
        )  # fmt: skip

    def total(self, convention: str = FULL) -> Cost:
        """Closed form of the whole model under a convention."""
        if convention not in CONVENTIONS:
            return super().total(convention)
        if convention not in self._totals:
            forms = {m: self._line_totals.total(convention, m) for m in METRICS}
            self._totals[convention] = Cost(**{m: self._converted(f) for m, f in forms.items()})
        return self._totals[convention]

    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """Peak activations: ``"liveness"`` (all tensors alive at once) or ``"textbook"`` (largest input plus output)."""
        if rule not in PEAKS or unit not in UNITS:
            raise SymcostError(f"unknown peak {rule!r} in {unit!r}: use {' or '.join(PEAKS)}, in {' or '.join(UNITS)}")
        found = self._peaks[rule, unit]
        if isinstance(found, str):
            raise LiftError(found)
        return largest([self._converted(form) for form in found])

    @cached_property
    def peak_activations(self) -> Any:
        """Peak activations in elements, by liveness."""
        return self.peak()

    @property
    def residuals(self) -> Any:
        """Bytes saved by the forward pass for the backward pass; parameters and inputs are not among them."""
        if self._residuals is None:
            raise SymcostError('residuals exist only for training: trace with mode="train"')
        return self._converted(self._residuals)

    @cached_property
    def coverage(self) -> dict[str, int]:
        """Number of operations counted by rules, by probes of the compiler, by users' estimates, and as bounds."""
        named = {"rule": "rules", "probe": "probes", "estimate": "estimates", "kernel": "rules"}
        records = [line.record for line in self._lines]
        counted = Counter(named[r.key.source] for r in records if r.key.source in named and not r.is_bound)
        counted["bounds"] = sum(r.is_bound for r in records)
        return {name: counted.get(name, 0) for name in ("rules", "probes", "estimates", "bounds")}

    def subs(self, **point: int) -> CostTable:
        """The table at a point inside the domain; totals are exact integers once every symbol has a value."""
        point = self.check_point(point)
        self.domain.check(point)
        return LiftedAt(self, point)


class LiftedAt(Substituted):
    """A lifted table at a point."""

    table: Lifted

    @property
    def certificate(self) -> Certificate:
        """The closed form's certificate."""
        return self.table.certificate

    @property
    def domain(self) -> Domain:
        """The closed form's domain."""
        return self.table.domain

    @property
    def coverage(self) -> dict[str, int]:
        """Who counted what."""
        return self.table.coverage

    @property
    def unknown_trips(self) -> Mapping[str, str]:
        """Symbols of loops whose trip count nobody knows, and where the loops stand."""
        return self.table.unknown_trips

    def peak(self, rule: str = "liveness", unit: str = "elements") -> Any:
        """The peak at the point."""
        return self.value(self.table.peak(rule, unit))

    @property
    def peak_activations(self) -> Any:
        """The peak in elements at the point."""
        return self.value(self.table.peak_activations)

    @property
    def residuals(self) -> Any:
        """The residuals at the point."""
        return self.value(self.table.residuals)


class _Converter:
    """Forms to sympy, each distinct one once."""

    def __init__(self) -> None:
        self._seen: dict[Form, Any] = {}
        self._costs: dict[int, tuple[Cost, Cost]] = {}

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, Form):
            return value
        found = self._seen.get(value)
        if found is None:
            number = value.number
            found = self._seen[value] = number if isinstance(number, int) else value.sympy()
        return found

    def cost(self, cost: Cost) -> Cost:
        found = self._costs.get(id(cost))
        if found is None:  # the original is kept beside the result, so that its id stays its own
            found = self._costs[id(cost)] = (cost, Cost(**{m: self(v) for m, v in cost.items()}))
        return found[1]
