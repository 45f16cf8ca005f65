"""Peak activation memory: the largest set of tensors alive at once, and the textbook's input plus output.

Values are made and last used in the order of the program. Views (reshape, broadcast) take no memory of their own; an
elementwise operation writes over an operand that dies in it. Parameters and state are not activations. The live size
after each step is a closed form; only those that no other one dominates for all positive symbols are kept, and the
peak is their maximum.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symcost.errors import LiftError
from symcost.form import Form, Mono, as_form
from symcost.rules import Array
from symcost.trace.costing import Costing, item_bytes
from symcost.trace.records import Program, Record
from symcost.trace.spec import where
from symcost.trace.structure import Structure

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


def live_sizes(program: Program, measure: Measure = elements) -> list[Any]:
    """Distinct live sizes over the program, after each step that makes something."""
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
    found: dict[Any, Any] = {live.frozen(): None}
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
            found[live.frozen()] = None
        for value in {*event.ins, *(v for v, _ in event.outs if v not in last)}:
            if last.get(value, step) == step and value in held:
                live.add(held.pop(value), -1)
    return [_Sum.thaw(frozen) for frozen in found]


def peak_sizes(program: Program, costing: Costing, rule: str, unit: str) -> list[Any]:
    """The sizes whose maximum is a peak: ``liveness`` or ``textbook``, in ``elements`` or ``bytes``."""
    measure = elements if unit == "elements" else in_bytes
    return live_sizes(program, measure) if rule == "liveness" else textbook_sizes(program, costing, measure)


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
        if isinstance(frozen, int):
            return frozen
        number, terms = frozen
        return Form(dict(terms)) + number if number else Form(dict(terms))


def textbook_sizes(program: Program, costing: Costing, measure: Measure = elements) -> list[Any]:
    """Input plus output of every materialising operation; parameters are no input."""
    found: dict[Any, None] = {}
    seen: dict[Any, Any] = {}
    for record in program.records:
        key = (record.key, record.sizes)
        if key not in seen:
            seen[key] = None
            if costing.of(record)[1].activations == 0:
                continue
            arrays = [a for a, weight in zip(record.operands, record.key.weights, strict=True) if not weight]
            total: Any = 0
            for array in (*arrays, *record.results):
                total = total + measure(array)
            found[total] = None
    return list(found)


def undominated(sizes: Sequence[Any], points: Sequence[Mapping[str, int]]) -> list[Form]:
    """The forms that can be the largest somewhere: those that no other dominates for all positive symbols."""
    forms = [as_form(size) for size in sizes]
    valued = sorted(((tuple(f.value(p) for p in points), f) for f in dict.fromkeys(forms)), key=lambda v: v[0], reverse=True)
    kept: list[tuple[tuple[Any, ...], Form]] = []
    for values, form in valued:
        if not any(_covers(a, values) and dominates(b, form) for a, b in kept):
            kept = [(a, b) for a, b in kept if not (_covers(values, a) and dominates(form, b))]
            kept.append((values, form))
    return [form for _, form in _extreme(kept)]


def _extreme(kept: list[tuple[tuple[Any, ...], Form]]) -> list[tuple[tuple[Any, ...], Form]]:
    """Without the forms below a weighted mean of two others: such a form is never the only maximum.

    Values at the points propose the weight; the comparison itself is exact.
    """
    index = 0
    while index < len(kept):
        values, form = kept[index]
        others = kept[:index] + kept[index + 1 :]
        if any(
            dominates(weight * left + (1 - weight) * right, form)
            for (a, left), (b, right) in itertools.combinations(others, 2)
            for weight in _weights(a, b, values)
        ):
            kept = others
        else:
            index += 1
    return kept


def _weights(a: Sequence[Any], b: Sequence[Any], below: Sequence[Any]) -> list[Fraction]:
    """Weights ``w`` in [0, 1] that the numbers allow for ``w a + (1 - w) b >= below``: the simplest and the ends."""
    low, high = Fraction(0), Fraction(1)
    for x, y, z in zip(a, b, below, strict=True):
        if x == y:
            if x < z:
                return []
        elif x > y:
            low = max(low, Fraction(z - y) / (x - y))
        else:
            high = min(high, Fraction(y - z) / (y - x))
    if low > high:
        return []
    return list(dict.fromkeys([low, high, (low + high) / 2]))


def _covers(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return all(a >= b for a, b in zip(left, right, strict=True))


def dominates(large: Form, small: Form) -> bool:
    """Whether ``large >= small`` for all symbols >= 1, by covering every negative term of the difference.

    >>> n, d = Form.symbol("n"), Form.symbol("d")
    >>> dominates(3 * n * d, n * d + n), dominates(n, d)
    (True, False)
    """
    difference = (large - small).terms
    positive = {m: c for m, c in difference.items() if c > 0}
    for mono, coefficient in difference.items():
        need = -coefficient
        if need <= 0:
            continue
        for other, have in list(positive.items()):
            if have > 0 and _divides(mono, other):
                taken = min(have, need)
                positive[other] = have - taken
                need -= taken
                if not need:
                    break
        if need:
            return False
    return True


def _divides(small: Mono, large: Mono) -> bool:
    """Whether every atom's exponent in ``small`` is at most that in ``large``."""
    exponents = dict(large)
    return all(e <= exponents.pop(a, 0) for a, e in small) and all(e >= 0 for e in exponents.values())


def over_structure(
    lists: Sequence[Sequence[Form]], structure: Structure, points: Sequence[Mapping[str, int]]
) -> list[Form]:
    """Candidates over structural symbols too, from the candidates at each structural point.

    Candidates that stay the same are kept; the others are paired in a fixed order and fitted like any sum, on the
    structural points that have the usual number of them (a network of one or two blocks may lack some). The result
    must then give the right maximum at every structural point.
    """
    if not structure.symbols:
        return list(lists[0])
    common = [form for form in lists[0] if all(form in other for other in lists)]
    rests = [sorted((f for f in forms if f not in common), key=_order) for forms in lists]
    usual = max({len(rest) for rest in rests}, key=lambda n: (sum(len(r) == n for r in rests), n))
    chosen = [index for index, rest in enumerate(rests) if len(rest) == usual]
    at = [structure.points[index] for index in chosen]
    groups = zip(*(rests[index] for index in chosen), strict=True)
    fitted = [*common, *(structure.fit_forms(group, ("peak",), at) for group in groups)]
    for fixed, forms in zip(structure.points, lists, strict=True):
        for point in points:
            here = {**point, **fixed}
            if max(f.value(here) for f in fitted) != max(f.value(here) for f in forms):
                raise LiftError(f"the candidates at {where(fixed)} follow another form than the others")
    return fitted


def _order(form: Form) -> Any:
    return sorted(form.terms), sorted(form.terms.items())
