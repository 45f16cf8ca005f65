"""Liveness: how much memory the values of a program take after each of its steps.

Values are made and last used in the order of the program. Views (reshape, broadcast) take no memory of their own; an
elementwise operation writes over an operand that dies in it. Parameters and state are not activations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.formulas.atoms import Mono
from symcost.formulas.form import Form
from symcost.rules import Array
from symcost.tracing.counting.costing import Costing
from symcost.tracing.program.paths import template
from symcost.tracing.program.records import Program, Record

Measure = Callable[[Array], Any]


def elements(array: Array) -> Any:
    """Size in elements."""
    return array.size


def in_bytes(array: Array) -> Any:
    """Size in bytes."""
    return array.size * item_bytes(array.dtype)


class _Sizes:
    """Sizes of results, each distinct shape once."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._seen: dict[Any, tuple[Any, ...]] = {}

    def of(self, record: Record) -> tuple[Any, ...]:
        key = (record.key.ins, record.key.outs, record.sizes)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = tuple(self._measure(array) for array in record.results)
        return found


def _live_steps(program: Program, measure: Measure) -> Iterator[tuple[Record | None, Any]]:
    """The live size at the start and after each step that makes something, with the step's record."""
    last: dict[int, int] = {}
    for step, event in enumerate(program.events):
        for value in event.ins:
            last[value] = step
    end = len(program.events)
    for value in program.outputs:
        last[value] = end
    sizes = _Sizes(measure)
    held: dict[int, Any] = {}
    live = _Sum()
    for record in program.inputs:
        (value,) = record.outs
        if value >= 0 and value in last:
            held[value] = sizes.of(record)[0]
            live.add(held[value], 1)
    yield None, live.frozen()
    for step, event in enumerate(program.events):
        if event.record is not None:
            made = sizes.of(event.record)
            for value, position in event.outs:
                size = made[position]
                if event.in_place:
                    dying = next((v for v in event.ins if last[v] == step and held.get(v) == size), None)
                    if dying is not None:
                        live.add(held.pop(dying), -1)
                held[value] = size
                live.add(size, 1)
            yield event.record, live.frozen()
        for value in {*event.ins, *(v for v, _ in event.outs if v not in last)}:
            if last.get(value, step) == step and value in held:
                live.add(held.pop(value), -1)


def _textbook_steps(program: Program, costing: Costing, measure: Measure) -> Iterator[tuple[Record | None, Any]]:
    """Input plus output of every materialising operation; parameters are no input."""
    for record in program.records:
        if costing.of(record)[1].activations == 0:
            continue
        arrays = [a for a, weight in zip(record.operands, record.key.weights, strict=True) if not weight]
        total: Any = 0
        for array in (*arrays, *record.results):
            total = total + measure(array)
        yield record, total


def _steps(program: Program, costing: Costing, rule: str, unit: str) -> Iterator[tuple[Record | None, Any]]:
    measure = elements if unit == "elements" else in_bytes
    return _live_steps(program, measure) if rule == "liveness" else _textbook_steps(program, costing, measure)


def peak_sizes(program: Program, costing: Costing, rule: str, unit: str) -> list[Any]:
    """The distinct sizes whose maximum is a peak: ``liveness`` or ``textbook``, in ``elements`` or ``bytes``."""
    return [_Sum.thaw(size) for size in dict.fromkeys(size for _, size in _steps(program, costing, rule, unit))]


def landmarks(program: Program, costing: Costing, rule: str, unit: str) -> dict[Any, Any]:
    """The sizes at the first and last occurrence of each step, alike steps of repeated blocks being one."""
    found: dict[Any, Any] = {}
    within: Counter[tuple[str, str, str]] = Counter()
    for record, size in _steps(program, costing, rule, unit):
        label: Any = None
        if record is not None:
            key = record.key
            here = (key.path, key.phase, key.op)
            within[here] += 1
            label = (template(key.path), key.phase, key.op, within[here])
        found.setdefault(("first", label), size)
        found[("last", label)] = size
    return {label: _Sum.thaw(size) for label, size in found.items()}


class _Sum:
    """A running sum of sizes, integers or forms, with cheap snapshots."""

    def __init__(self) -> None:
        self.number = 0
        self.terms: dict[Mono, Any] = {}

    def add(self, size: Any, sign: int) -> None:
        """Add or take away a size."""
        if isinstance(size, int):
            self.number += sign * size
            return
        for mono, coefficient in size.terms.items():
            value = self.terms.get(mono, 0) + sign * coefficient
            if value:
                self.terms[mono] = value
            else:
                del self.terms[mono]

    def frozen(self) -> Any:
        """A hashable snapshot."""
        return (self.number, frozenset(self.terms.items())) if self.terms else self.number

    @staticmethod
    def thaw(frozen: Any) -> Any:
        """The size that a snapshot stands for."""
        if isinstance(frozen, int | Form):
            return frozen
        number, terms = frozen
        return Form(dict(terms)) + number if number else Form(dict(terms))
