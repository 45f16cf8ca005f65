"""From records to costs: the rule of each distinct operation, once, on integers or on closed forms alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from symcost.costs.cost import METRICS, TEXTBOOK, XLA, Cost
from symcost.costs.dtypes import item_bytes
from symcost.formulas.form import Form, as_form
from symcost.formulas.functions import maximum
from symcost.rules import ENTRIES, Array, Op, Work
from symcost.rules.own import OWN, REPLACED, active
from symcost.tracing.program.records import FROZEN, WEIGHT, Record

STATE = "state"
"""Operation of rows that declare what a model keeps between calls and may change: statistics, caches."""
WRITTEN = "written"
"""Static fact of state that comes out of the program with another value."""
KERNEL, STATED = "kernel", "stated kernel"
"""Sources of records whose one branch is the program of a kernel, and of those whose author states a cost beside it."""
Costs = tuple[Cost, Cost, Cost]
"""One execution under full, textbook and xla."""


def _bytes(arrays: Iterable[Array]) -> Any:
    total: Any = 0
    for array in arrays:
        total = total + array.size * item_bytes(array.dtype)
    return total


class Costing:
    """Costs of records, remembered by what the rule sees."""

    def __init__(self) -> None:
        self._seen: dict[Any, Costs] = {}
        self._own = active()

    def of(self, record: Record) -> Costs:
        """The cost of one execution under each convention."""
        key = record.key
        if key.source in (KERNEL, STATED):
            return self._kernel(record)
        if record.branches:
            return self._branches(record)
        seen = (key.op, key.static, key.fact_names, key.ins, key.outs, key.source, record.sizes[:-2])
        found = self._seen.get(seen)
        if found is None:
            op = record.op()
            work = self._work(op, key.source)
            found = self._seen[seen] = self._costs(op, work, key.source)
        return found

    def _work(self, op: Op, source: str) -> Work:
        if source in (OWN, REPLACED):
            return self._own.rules[op.name].work(op)
        if source == "estimate":
            return _estimated(op)
        if source == "probe":
            counts: dict[str, Any] = {name: op.size(name) for name in op.facts.sizes}
            return Work(**counts)
        if source != "rule":
            return Work()
        work = ENTRIES[op.name].rule(op)
        if "xla_flops" in op.facts.sizes:  # counted alone, with what is known of its operands
            return replace(work, xla_flops=op.size("xla_flops"), xla_transcendentals=op.size("xla_transcendentals"))
        return work

    @staticmethod
    def _costs(op: Op, work: Work, source: str) -> Costs:
        if source == "input":
            return _input_costs(op)
        if source == "shape":
            return Cost(), Cost(), Cost()
        ins, outs = (op.ins, op.outs) if work.moves else ((), ())
        stored = sum((array.size for array in outs), start=0)
        moved = {"bytes_read": _bytes(ins), "bytes_written": _bytes(outs)}
        full = Cost.of_forms(macs=work.real_macs, flops=work.total_flops, transcendentals=work.transcendentals,
                             int_ops=work.int_ops, padding_macs=work.real_products * work.padding_macs, activations=stored,
                             **moved)  # fmt: skip
        textbook = Cost.of_forms(
            macs=work.real_macs, flops=2 * work.real_macs, activations=stored if work.materialises else 0
        )
        xla = Cost.of_forms(macs=work.macs - work.padding_macs, flops=work.flops_under_xla,
                            transcendentals=work.transcendentals_under_xla, int_ops=work.int_ops, activations=stored,
                            **moved)  # fmt: skip
        return full, textbook, xla

    def _branches(self, record: Record) -> Costs:
        """Metric by metric the largest branch, as XLA takes it; the record's own predicate costs nothing."""
        totals = [self.total(branch) for branch in record.branches]
        costs = []
        for convention in range(3):
            values = {}
            for metric in METRICS:
                options = [getattr(branch[convention], metric) for branch in totals]
                values[metric] = _largest(options)
            costs.append(Cost(**values))
        return costs[0], costs[1], costs[2]

    def _kernel(self, record: Record) -> Costs:
        """The work of a kernel's body, under xla what its author states; in memory it is one operation."""
        inside, op = self.total(record.branches[0]), record.op()
        if record.key.source == STATED:
            stated = replace(
                Cost.of_forms(flops=op.size("flops"), transcendentals=op.size("transcendentals")), macs=inside[0].macs
            )
            inside = (*inside[:2], stated)
        outside = self._costs(op, Work(materialises=any(cost.macs != 0 for cost in inside)), KERNEL)
        moved = ("activations", "bytes_read", "bytes_written")
        full, textbook, xla = (
            replace(work, **{metric: getattr(memory, metric) for metric in moved})
            for work, memory in zip(inside, outside, strict=True)
        )
        return full, textbook, xla

    def total(self, records: Iterable[Record]) -> Costs:
        """Sum of records, repetitions included."""
        sums: list[dict[str, list[Any]]] = [{m: [] for m in METRICS} for _ in range(3)]
        for record in records:
            for index, (cost, times) in enumerate(zip(self.of(record), times_of(record), strict=True)):
                for metric, value in cost.items():
                    if not _is_zero(value):
                        sums[index][metric].append(value * times)
        made = [Cost(**{m: _sum(parts) for m, parts in by.items()}) for by in sums]
        return made[0], made[1], made[2]


def times_of(record: Record) -> tuple[Any, Any, Any]:
    """Executions under full, textbook and xla: symbols of unknown trip counts count except under xla."""
    times = record.times
    for loop in record.key.loops:
        times = Form.symbol(loop) * times
    return times, times, record.xla_times


def _input_costs(op: Op) -> Costs:
    """Parameters and state count as such; inputs are activations of the textbook's total."""
    (array,) = op.outs
    if op.name == "param":
        said = op.facts.static[1:]  # behind the parameter's own name
        frozen = array.size if FROZEN in said else 0
        full = Cost.of_forms(params=array.size, frozen=frozen)
        return full, full if WEIGHT in said else Cost(), full
    if op.name == STATE:
        kept = Cost.of_forms(state=array.size)
        return kept, Cost(), kept
    if op.name == "input":
        given = Cost.of_forms(activations=array.size)
        return given, given, given
    return Cost(), Cost(), Cost()


def _estimated(op: Op) -> Work:
    """What a kernel's author states, with a symbol for the products among its FLOPs unless their number is known."""
    _, *unknown = op.facts.static
    macs = Form.symbol(unknown[0]) if unknown else op.size("macs")
    flops = op.size("flops") - 2 * macs
    return Work(macs=macs, flops=flops, transcendentals=op.size("transcendentals"), materialises=True)


def _is_zero(value: Any) -> bool:
    return (isinstance(value, int) and value == 0) or (isinstance(value, Form) and not value.terms)


def _sum(parts: list[Any]) -> Any:
    return Form.total(parts) if any(isinstance(p, Form) for p in parts) else sum(parts)


def _largest(options: list[Any]) -> Any:
    if any(isinstance(o, Form) for o in options):
        return maximum([as_form(o) for o in options])
    return max(options)


CONVENTION_ORDER = ("full", TEXTBOOK, XLA)
