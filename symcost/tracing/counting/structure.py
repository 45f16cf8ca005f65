"""Structural symbols (depths, numbers of experts): programs of several depths become one table.

Each structural point gives a program in closed form over the size symbols. Records that look alike (same path with
numbers left out, same operation, same forms) are counted, and the counts are fitted over the structural symbols.
Where layers differ from one another (a DenseNet's grow), the sums are fitted instead, coefficient by coefficient.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from symcost.costs.cost import METRICS, Cost
from symcost.formulas.atoms import Mono
from symcost.formulas.form import Form, as_form
from symcost.tracing.counting.costing import Costing, Costs, times_of
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.shares import hints
from symcost.tracing.fitting.align import all_records, with_sizes
from symcost.tracing.fitting.fit import Fitter, Point
from symcost.tracing.program.paths import template
from symcost.tracing.program.records import Key, Program, Record
from symcost.tracing.sampling.depth import DEEPEST
from symcost.tracing.sampling.signals import Irregular

PERIODS = range(2, 7)
"""After how many layers a pattern of unlike layers may repeat (five with a window and one without)."""

Fingerprint = tuple[Any, ...]
Family = tuple[str, str, str, str, str]


def template_key(key: Key) -> Key:
    """The key with numbers left out of its path."""
    return key._replace(path=template(key.path))


def fingerprint(record: Record) -> Fingerprint:
    """What makes two records the same layer of two blocks."""
    inside = tuple(tuple(fingerprint(r) for r in branch) for branch in record.branches)
    return template_key(record.key), record.sizes, inside


class Dictionary:
    """Closed forms of records by their template and their integers at the base sizes."""

    def __init__(self) -> None:
        self._forms: dict[tuple[Key, tuple[int, ...]], tuple[Form, ...] | None] = {}
        self._templates: dict[Key, Key] = {}

    def _template(self, key: Key) -> Key:
        found = self._templates.get(key)
        if found is None:
            found = self._templates[key] = template_key(key)
        return found

    def learn(self, concrete: Program, lifted: Program) -> None:
        """Remember the forms of a program; two forms for the same integers make both unusable."""
        for before, after in zip(all_records(concrete), all_records(lifted), strict=True):
            entry = self._template(before.key), before.sizes
            known = self._forms.setdefault(entry, after.sizes)
            if known != after.sizes:
                self._forms[entry] = None

    def translate(self, concrete: Program) -> Program | None:
        """A program in closed form by looking its records up, or nothing when one is not known."""
        found = {}
        for record in all_records(concrete):
            sizes = self._forms.get((self._template(record.key), record.sizes))
            if sizes is None:
                return None
            found[id(record)] = sizes
        return with_sizes(concrete, lambda record: found[id(record)])


@dataclass
class Line:
    """One row to be: a record that stands for all like it, how many there are, and their cost."""

    record: Record
    path: str
    costs: Costs
    number: Form
    merged: bool = False  # costs are already the sum over all of them

    @property
    def times(self) -> tuple[Any, Any, Any]:
        """Executions under full, textbook and xla, all alike ones together."""
        if self.merged:
            return 1, 1, 1
        full, textbook, xla = times_of(self.record)
        return full * self.number, textbook * self.number, xla * self.number


@dataclass
class Structure:
    """Programs at structural points, and the lines of the table that holds for all of them."""

    symbols: Sequence[str]
    costing: Costing
    points: list[Point] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    patterned: bool = False  # whether the points are consecutive values, enough to see that every sixth layer differs
    compared: Mapping[str, Landmarks] = field(
        default_factory=dict
    )  # with what the program compares its layers' numbers

    @cached_property
    def _fitter(self) -> Fitter:
        """Fits columns over all structural points; floors only where there are points enough to tell them."""
        periods = {
            *(PERIODS if self.patterned else (2,)),
            *(
                m
                for marks in self.compared.values()
                for m in marks.moduli | marks.shares | {marks.period}
                if 1 < m <= DEEPEST
            ),
        }
        values = {name: marks.values for name, marks in self.compared.items()}
        meant = [form for name, marks in self.compared.items() for form in hints(name, marks.claims)]
        return Fitter(self.symbols, self.points, periods, floors=len(self.points) > 6, compared=values, meant=meant)

    def lines(self) -> list[Line]:
        """Lines in order of first appearance in the largest program."""
        if not self.symbols:
            return [Line(r, r.key.path, self.costing.of(r), Form.constant(1)) for r in _counted(self.programs[0])]
        counts = [Counter(fingerprint(r) for r in _counted(p)) for p in self.programs]
        examples: dict[Fingerprint, Record] = {}
        for program in sorted(self.programs, key=lambda p: -len(p.records)):
            for record in _counted(program):
                examples.setdefault(fingerprint(record), record)
        watched = self.patterned or bool(self.compared)
        fitter = self._fitter if watched else Fitter(self.symbols, self.points, floors=False)
        numbers = {f: fitter.settled(tuple(count[f] for count in counts)) for f in examples}
        broken = {_family(examples[f]) for f, number in numbers.items() if number is None}
        lines: list[Line] = []
        for print_, record in examples.items():
            number = numbers[print_]
            if _family(record) not in broken and number is not None:
                lines.append(Line(record, template(record.key.path), self.costing.of(record), number))
        lines.extend(self._merged(family, examples, counts) for family in sorted(broken))
        return lines

    def _merged(
        self, family: Family, examples: Mapping[Fingerprint, Record], counts: list[Counter[Fingerprint]]
    ) -> Line:
        """The sum over all records of a family, fitted coefficient by coefficient."""
        members = {f: r for f, r in examples.items() if _family(r) == family}
        summed: list[list[dict[str, Form]]] = []
        for count in counts:
            parts: list[dict[str, list[Any]]] = [{m: [] for m in METRICS} for _ in range(3)]
            for print_, record in members.items():
                if not count[print_]:
                    continue
                for by, cost, times in zip(parts, self.costing.of(record), times_of(record), strict=True):
                    for metric, value in cost.items():
                        by[metric].append(as_form(value) * times * count[print_])
            summed.append([{m: Form.total(v) for m, v in by.items()} for by in parts])
        fitted: list[dict[str, Any]] = [  # forms, until the table is made
            {m: self.fit_forms([at[c][m] for at in summed], family) for m in METRICS} for c in range(3)
        ]
        costs = [Cost(**by) for by in fitted]
        record = next(iter(members.values()))
        return Line(record, family[0], (costs[0], costs[1], costs[2]), Form.constant(1), merged=True)

    def fit(self, column: Sequence[int]) -> Form | None:
        """The form over the structural symbols that has these values at their points, or nothing."""
        return self._fitter.settled(tuple(column))

    def fit_forms(self, forms: Sequence[Form], what: Iterable[str], points: Sequence[Point] | None = None) -> Form:
        """One form over size and structural symbols from its values (forms) at structural points (all by default)."""
        fitter = self._fitter if points is None else Fitter(self.symbols, points, floors=len(points) > 6)
        points = self.points if points is None else points
        monos: dict[Mono, None] = dict.fromkeys(m for form in forms for m in form.terms)
        parts = []
        for mono in monos:
            values = [form.terms.get(mono, 0) for form in forms]
            scale = math.lcm(*(v.denominator for v in values))
            fitted = fitter.settled(tuple(int(v * scale) for v in values))
            if fitted is None:
                at = ", ".join(str(tuple(p[s] for s in self.symbols)) for p in points)
                raise Irregular(
                    f"{'/'.join(w for w in what if w)}: the coefficient of {Form({mono: 1})} is {', '.join(map(str, values))} at "
                    f"{', '.join(self.symbols)} = {at}: the program changes with {', '.join(self.symbols)} in no regular way; "
                    f"make it a number, or give samples with a regular step"
                )
            parts.append(fitted / scale * Form({mono: 1}))
        return Form.total(parts)


def _counted(program: Program) -> list[Record]:
    return [r for r in (*program.inputs, *program.records) if r.key.source != "shape"]


def _family(record: Record) -> Family:
    """Records that may be summed on one line: of one module's path, phase and operation, with results of the same types.

    How many results there are of a type may vary with a depth, as those of an ``unstack`` do.
    """
    types = " ".join(dict.fromkeys(dtype for dtype, _ in record.key.outs))
    return template(record.key.path), record.key.phase, record.key.op, record.key.source, types
