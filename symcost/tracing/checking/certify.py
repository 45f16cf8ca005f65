"""The certificate: held-out points at which a concrete trace and the closed form agree, to the last unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from symcost.costs.cost import CONVENTIONS, METRICS
from symcost.costs.said import Certificate as Certificate
from symcost.formulas.form import Form
from symcost.tracing.counting.costing import CONVENTION_ORDER, Costing, times_of
from symcost.tracing.counting.structure import Line
from symcost.tracing.program.paths import template
from symcost.tracing.program.records import Program

Totals = dict[tuple[str, str, str], int]
"""(template path, convention, metric) -> exact number."""


def concrete_totals(program: Program, costing: Costing, loops: Mapping[str, int]) -> Totals:
    """Totals by template path of a concrete program; unknown trip counts take the values given."""
    totals: dict[tuple[str, str, str], Any] = {}
    for record in (*program.inputs, *program.records):
        path = template(record.key.path)
        for name, cost, times in zip(CONVENTION_ORDER, costing.of(record), times_of(record), strict=True):
            number = times.value(loops) if isinstance(times, Form) else times
            for metric, value in cost.items():
                if isinstance(value, Form):
                    value = value.value(loops)
                if value:
                    key = (path, name, metric)
                    totals[key] = totals.get(key, 0) + value * number
    return {key: value for key, value in totals.items() if value}


class LineTotals:
    """The lines' totals by template path, as forms, evaluated at any point."""

    def __init__(self, lines: Iterable[Line]) -> None:
        parts: dict[tuple[str, str, str], list[Any]] = {}
        seen: dict[tuple[int, Any], Any] = {}
        for line in lines:
            path = template(line.path)
            for name, cost, times in zip(CONVENTION_ORDER, line.costs, line.times, strict=True):
                for metric in METRICS:
                    value = getattr(cost, metric)
                    if isinstance(value, int) and value == 0:
                        continue
                    product = seen.get((id(value), times))
                    if product is None:
                        product = seen[(id(value), times)] = (value * times, value)
                    parts.setdefault((path, name, metric), []).append(product[0])
        self.forms = {key: Form.total(values) for key, values in parts.items()}

    def at(self, point: Mapping[str, int]) -> Totals:
        """Exact numbers at a point; zeros are left out."""
        values = {key: form.value(point) for key, form in self.forms.items()}
        return {key: value for key, value in values.items() if value}  # type: ignore[misc]

    def total(self, convention: str, metric: str) -> Form:
        """Sum over all paths."""
        assert convention in CONVENTIONS
        return Form.total(f for (_, c, m), f in self.forms.items() if c == convention and m == metric)


def differences(ours: Totals, theirs: Totals) -> list[tuple[tuple[str, str, str], int, int]]:
    """Where two totals differ: the key, the form's number, the trace's."""
    return [(key, a, b) for key in sorted({*ours, *theirs}) if (a := ours.get(key, 0)) != (b := theirs.get(key, 0))]


def in_words(difference: tuple[tuple[str, str, str], int, int]) -> str:
    """One difference as a sentence."""
    (path, convention, metric), ours, theirs = difference
    return f"{path or 'the model'} {metric} ({convention}): form {ours}, trace {theirs}"
