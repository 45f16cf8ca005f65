"""The result of lifting, and the cost table of it: closed forms with their certificate, domain and coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from symcost.costs.cost import METRICS, XLA, Cost
from symcost.costs.evidence import summary
from symcost.costs.parts import Counts, Parts
from symcost.costs.rows import Row, Withdrawn, total
from symcost.costs.said import Certificate, Said
from symcost.costs.table import CostTable
from symcost.errors import LiftError
from symcost.formulas.compared.dominance import largest
from symcost.formulas.form import Form
from symcost.reading.choices import Convention, Rule, Unit
from symcost.rules.own import OWN, REPLACED
from symcost.tracing.checking.certify import LineTotals
from symcost.tracing.counting.active import Share
from symcost.tracing.counting.costing import KERNEL, STATE, STATED, WRITTEN
from symcost.tracing.counting.structure import Line
from symcost.tracing.domain.domain import Domain

NAMED = ("input", "estimate", KERNEL, STATED)
"""Sources of records whose first static fact is a name: of a parameter, or of a kernel."""


@dataclass(frozen=True)
class Unknown:
    """Symbols of what a program does not say: trip counts of loops and where they stand, MACs of kernels and why."""

    trips: Mapping[str, str]
    macs: Mapping[str, str]

    @property
    def symbols(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.trips, *self.macs)


@dataclass(frozen=True)
class Lifted:
    """A traced model in closed form: its lines and their totals, peaks, and where and how they were checked."""

    lines: Sequence[Line]
    totals: LineTotals
    peaks: Mapping[tuple[str, str], list[Form] | str]
    residuals: Form | None
    certificate: Certificate
    domain: Domain
    symbols: tuple[str, ...]
    unknown: Unknown
    shares: Mapping[int, Share]
    """By the number of a line that declares a parameter."""

    def refereed(self, ask: Callable[[Sequence[Line], Iterable[str]], Said]) -> Lifted:
        """With what XLA says of the lines in the certificate; figures that differ are withdrawn."""
        return replace(self, certificate=replace(self.certificate, xla=ask(self.lines, self.unknown.symbols)))

    def table(self) -> CostTable:
        """The cost table."""
        numbers, domain = LineNumbers(self), self.domain
        certificate = replace(self.certificate, words=summary(domain.evidence, domain.decisions))
        parts = Parts(
            symbols=(*self.symbols, *self.unknown.symbols), withdrawn=self.certificate.xla.withdrawn, domain=domain,
            certificate=certificate, coverage=self.coverage(), unknown_trips=dict(self.unknown.trips),
            unknown_macs=dict(self.unknown.macs), peak=numbers.peak,
            residuals=None if self.residuals is None else numbers.residuals,
        )  # fmt: skip
        return CostTable.of(numbers, parts)

    def coverage(self) -> dict[str, int]:
        """Number of operations counted by rules, by probes of the compiler, by users' estimates, and as bounds."""
        named = {
            "rule": "rules",
            "probe": "probes",
            "estimate": "estimates",
            KERNEL: "rules",
            STATED: "rules",
            OWN: OWN,
            REPLACED: REPLACED,
        }
        records = [line.record for line in self.lines]
        counted = Counter(named[r.key.source] for r in records if r.key.source in named and not r.is_bound)
        counted["bounds"] = sum(r.is_bound for r in records)
        always = {name: counted.get(name, 0) for name in ("rules", "probes", "estimates", "bounds")}
        return {**always, **{name: counted[name] for name in (OWN, REPLACED) if counted[name]}}


class LineNumbers(Counts):
    """Rows, totals, peaks and residuals of the lines, made of their forms when they are asked for."""

    def __init__(self, lifted: Lifted) -> None:
        super().__init__()
        self._lifted, self._withdrawn = lifted, lifted.certificate.xla.withdrawn
        self._converted = Converter()

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        shares = self._lifted.shares
        return tuple(self._row(line, shares.get(number)) for number, line in enumerate(self._lifted.lines))

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per operation in execution order; alike blocks share a row, with their number in ``times``."""
        return self._rows

    def _row(self, line: Line, share: Share | None) -> Row:
        record, to = line.record, self._converted
        full, textbook, xla = (share.cost(cost) if share else cost for cost in map(to.cost, line.costs))
        if XLA in self._withdrawn:
            xla = Withdrawn(self._withdrawn[XLA])
        times, _, xla_times = line.times
        op = record.key.op
        if record.key.source in NAMED and record.key.static:
            op = f"{op} {record.key.static[0]}".strip()
        outs = [tuple(to(d) for d in array.shape) for array in record.results]
        return Row(
            path=line.path, op=op, cost=full, textbook=textbook, xla=xla, times=to(times), xla_times=to(xla_times),
            ins=tuple(tuple(to(d) for d in array.shape) for array in record.operands), out=outs[0] if outs else (),
            phase=record.key.phase, source=record.key.source, bound=record.is_bound,
            dtype=next((dtype for dtype, _ in record.key.outs), ""), in_dtypes=tuple(dtype for dtype, _ in record.key.ins),
            written=WRITTEN in record.key.static and op.startswith(STATE),
        )  # fmt: skip

    def counted(self, convention: Convention) -> Cost:
        """Closed form of the whole model under a convention."""
        forms = {m: self._lifted.totals.total(convention, m) for m in METRICS}
        return replace(Cost(**{m: self._converted(f) for m, f in forms.items()}), inactive=self._inactive(convention))

    def _inactive(self, convention: Convention) -> Any:
        """The sum of what the shares leave out: it follows exactly from the parameters, which the certificate covers."""
        return total((self.rows[number] for number in self._lifted.shares), convention).inactive

    def peak(self, rule: Rule, unit: Unit) -> Any:
        """The largest of the forms by a rule, in a unit; the error where no closed form was found."""
        found = self._lifted.peaks[rule, unit]
        if isinstance(found, str):
            raise LiftError(found)
        return largest([self._converted(form) for form in found])

    def residuals(self) -> Any:
        """Bytes saved by the forward pass for the backward pass."""
        return self._converted(self._lifted.residuals)


class Converter:
    """Forms to sympy, each distinct one once."""

    def __init__(self) -> None:
        self._seen: dict[Form, Any] = {}
        self._costs: dict[int, tuple[Cost, Cost]] = {}

    def __call__(self, value: Any) -> Any:
        """A form as sympy has it, an integer where it is one; anything else is itself."""
        if not isinstance(value, Form):
            return value
        found = self._seen.get(value)
        if found is None:
            number = value.number
            found = self._seen[value] = number if isinstance(number, int) else value.sympy()
        return found

    def cost(self, cost: Cost) -> Cost:
        """A cost with all its forms as sympy has them."""
        found = self._costs.get(id(cost))
        if found is None:  # the original is kept beside the result, so that its id stays its own
            found = self._costs[id(cost)] = (cost, Cost(**{m: self(v) for m, v in cost.items()}))
        return found[1]
