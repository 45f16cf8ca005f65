"""From records to costs: the rule of each distinct operation, once, on integers or on closed forms alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from symcost.cost import METRICS, TEXTBOOK, XLA, Cost
from symcost.dtypes import item_bytes
from symcost.form import Form, as_form, maximum
from symcost.rules import ENTRIES, Array, Op, Work
from symcost.trace.records import Record

STATE = "state"
"""Operation of rows that declare what a model keeps between calls and may change: statistics, caches."""
WRITTEN = "written"
"""Static fact of state that comes out of the program with another value."""
KERNEL = "kernel"
"""Source of records whose one branch is the program of a kernel."""
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

    def of(self, record: Record) -> Costs:
        """The cost of one execution under each convention."""
        key = record.key
        if key.source == KERNEL:
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

    @staticmethod
    def _work(op: Op, source: str) -> Work:
        if source in ("probe", "estimate"):
            return Work(**{name: op.size(name) for name in op.facts.sizes})
        return ENTRIES[op.name].rule(op) if source == "rule" else Work()

    @staticmethod
    def _costs(op: Op, work: Work, source: str) -> Costs:
        if source == "input":
            return _input_costs(op)
        if source == "shape":
            return Cost(), Cost(), Cost()
        stored = sum((array.size for array in op.outs), start=0)
        moved = {"bytes_read": _bytes(op.ins), "bytes_written": _bytes(op.outs)}
        full = Cost(macs=work.macs, flops=2 * work.macs + work.flops, transcendentals=work.transcendentals,
                    int_ops=work.int_ops, padding_macs=work.padding_macs, activations=stored, **moved)  # fmt: skip
        textbook = Cost(macs=work.macs, flops=2 * work.macs, activations=stored if work.materialises else 0)
        xla = Cost(macs=work.macs - work.padding_macs, flops=work.flops_under_xla,
                   transcendentals=work.transcendentals_under_xla, int_ops=work.int_ops, activations=stored, **moved)  # fmt: skip
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
        """The work of a kernel's body; in memory it is one operation."""
        inside = self.total(record.branches[0])
        outside = self._costs(record.op(), Work(materialises=any(cost.macs != 0 for cost in inside)), KERNEL)
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
        weights = array.size if "weight" in op.facts.static else 0
        return Cost(params=array.size), Cost(params=weights), Cost(params=array.size)
    if op.name == STATE:
        return Cost(state=array.size), Cost(), Cost(state=array.size)
    if op.name == "input":
        return Cost(activations=array.size), Cost(activations=array.size), Cost(activations=array.size)
    return Cost(), Cost(), Cost()


def _is_zero(value: Any) -> bool:
    return (isinstance(value, int) and value == 0) or (isinstance(value, Form) and not value.terms)


def _sum(parts: list[Any]) -> Any:
    return Form.total(parts) if any(isinstance(p, Form) for p in parts) else sum(parts)


def _largest(options: list[Any]) -> Any:
    if any(isinstance(o, Form) for o in options):
        return maximum([as_form(o) for o in options])
    return max(options)


CONVENTION_ORDER = ("full", TEXTBOOK, XLA)
