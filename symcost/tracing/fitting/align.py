"""Traces of one model zipped record by record: the same program at several sizes, and its lifted records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.rules import ENTRIES
from symcost.tracing.fitting.fit import Column, Fitter
from symcost.tracing.program.records import Event, Program, Record
from symcost.tracing.program.spec import where


def flat(records: Iterable[Record]) -> Iterator[Record]:
    """Records in order, those inside the branches of a cond after it."""
    for record in records:
        yield record
        for branch in record.branches:
            yield from flat(branch)


def all_records(program: Program) -> list[Record]:
    """Inputs, equations and residuals of a program, flat."""
    return [*program.inputs, *flat(program.records), *program.residuals]


def signature(program: Program) -> list[Any]:
    """What two traces must share to be the same program: the keys in order, and where branches begin."""
    return [(record.key, len(record.branches)) for record in all_records(program)]


def same(left: Program, right: Program) -> bool:
    """Whether two traces are the same program at other sizes."""
    a, b = all_records(left), all_records(right)
    return len(a) == len(b) and all(x.key == y.key for x, y in zip(a, b, strict=True))


@dataclass
class Columns:
    """The integers of aligned programs: for every record the tuple of its sizes at each of the points.

    With ``derive`` the facts that have a closed form in the shapes are derived instead of fitted.
    """

    programs: Sequence[Program]
    points: Sequence[dict[str, int]]
    derive: bool = False

    def __post_init__(self) -> None:
        self.records = list(zip(*(all_records(p) for p in self.programs), strict=True))
        self.rows = [tuple([r.sizes for r in records]) for records in self.records]

    @cached_property
    def derivable(self) -> set[int]:
        """The records whose facts have a closed form in the shapes: looked for only where that is asked."""
        return {index for index, records in enumerate(self.records) if _derivable(records)}

    def distinct(self) -> set[Column]:
        """Every distinct column that is fitted."""
        derived = self.derivable if self.derive else set()
        rows = {row for index, row in enumerate(self.rows) if index not in derived}
        found = {column for row in rows for column in zip(*row, strict=True)}
        for index in derived:
            unexplained = [
                c for c, known in zip(self.beside(index), self.explained(index), strict=True) if known is None
            ]
            found.update(self._shapes(index), unexplained)
        return found

    def shapes(self) -> set[Column]:
        """Every distinct column of what is no fact of an operation: the sizes of its arrays."""
        return {column for index in range(len(self.records)) for column in self._shapes(index)}

    def _shapes(self, index: int) -> list[Column]:
        """The columns of one record without those of its facts."""
        columns, facts = self.of_record(index), self.records[index][0].facts
        return [*columns[: facts.start], *columns[facts.stop :]]

    def beside(self, index: int) -> list[Column]:
        """The columns of what the facts of one record are derived from beside its shapes."""
        return list(zip(*(record.beside for record in self.records[index]), strict=True))

    def explained(self, index: int) -> list[int | None]:
        """For each of those, the convention that gives it in every trace; nothing: it is fitted, as constants are."""
        columns = self.beside(index)
        usual = ENTRIES[self.records[index][0].key.op].usual
        if usual is None or all(len(set(column)) == 1 for column in columns):
            return [None] * len(columns)
        traces = [usual(record.op()) for record in self.records[index]]
        found: list[int | None] = []
        for position, column in enumerate(columns):
            options = zip(*(trace[position] for trace in traces), strict=True)
            right = (number for number, values in enumerate(options) if values == column)
            found.append(next(right, None) if len(set(column)) > 1 else None)
        return found

    def derives(self, index: int, fitter: Fitter) -> bool:
        """Whether all that the facts of a record are derived from is known or can be fitted."""
        both = zip(self.beside(index), self.explained(index), strict=True)
        return all(known is not None or fitter.fit(column) is not None for column, known in both)

    def could_derive(self, wanted: Iterable[Column]) -> bool:
        """Whether some of these columns are facts that were fitted and have a closed form in the shapes."""
        if self.derive:
            return False
        facts = {c for i in self.derivable for c in self.of_record(i)[self.records[i][0].facts]}
        return not facts.isdisjoint(wanted)

    def of_record(self, index: int) -> list[Column]:
        """The columns of one record."""
        return list(zip(*self.rows[index], strict=True))


def _derivable(records: Sequence[Record]) -> bool:
    """Whether the facts of one operation come of the same origin in every program."""
    origin = records[0].origin
    return bool(origin) and all(record.origin == origin for record in records[1:])


def lifted(columns: Columns, fitter: Fitter) -> Program:
    """The program with closed forms in place of integers; every column must have been fitted."""
    base = columns.programs[0]
    seen: dict[Any, tuple[Form, ...]] = {}

    def forms(index: int, record: Record) -> tuple[Form, ...]:
        row = columns.rows[index]
        if columns.derive and index in columns.derivable:
            return _derived(columns, index, fitter)
        found = seen.get(row)
        if found is None:
            found = seen[row] = tuple(_fitted(fitter, column) for column in zip(*row, strict=True))
        return found

    replaced = {id(record): forms(index, record) for index, record in enumerate(all_records(base))}
    return with_sizes(base, lambda record: replaced[id(record)])


def facts_both_ways(columns: Columns, fitter: Fitter) -> list[tuple[Form, Form]]:
    """Facts as they were fitted and as they are derived, where both are known and differ as forms."""
    found: dict[tuple[Form, Form], None] = {}
    for index in columns.derivable:
        if columns.derives(index, fitter):
            facts = columns.records[index][0].facts
            fitted = [_fitted(fitter, column) for column in columns.of_record(index)[facts]]
            found.update(dict.fromkeys(zip(fitted, _derived(columns, index, fitter)[facts], strict=True)))
    return [(fitted, derived) for fitted, derived in found if fitted != derived]


def _derived(columns: Columns, index: int, fitter: Fitter) -> tuple[Form, ...]:
    """The forms of one operation: shapes fitted, facts derived from them."""
    record, each = columns.records[index][0], columns.of_record(index)
    before = [_fitted(fitter, column) for column in each[: record.facts.start]]
    after = [_fitted(fitter, column) for column in each[record.facts.stop :]]
    entry = ENTRIES[record.key.op]
    assert entry.derive is not None, "only rules that derive their facts name an origin"
    shaped = Record(record.key, (*before, *record.sizes[record.facts], *after), origin=record.origin)
    usual = entry.usual(shaped.op()) if entry.usual is not None else ()
    shaped.beside = tuple(
        usual[position][known] if known is not None else _fitted(fitter, column)
        for position, (column, known) in enumerate(zip(columns.beside(index), columns.explained(index), strict=True))
    )
    return (*before, *entry.derive(shaped.op()), *after)


def _fitted(fitter: Fitter, column: Column) -> Form:
    form = fitter.fitted.get(column)
    if form is None:
        raise LiftError(f"no closed form for the column {column}")
    return form


def with_sizes(program: Program, sizes: Any) -> Program:
    """A copy of a program whose records have other sizes; events follow their records."""
    made: dict[int, Record] = {}

    def copy(record: Record) -> Record:
        branches = tuple([copy(r) for r in branch] for branch in record.branches)
        new = Record(record.key, sizes(record), record.ins, record.outs, branches, record.origin, record.beside)
        made[id(record)] = new
        return new

    result = Program(outputs=program.outputs, strides=program.strides, unknown_trips=program.unknown_trips,
                     unknown_macs=program.unknown_macs)  # fmt: skip
    result.inputs = [copy(r) for r in program.inputs]
    result.records = [copy(r) for r in program.records]
    result.residuals = [copy(r) for r in program.residuals]
    result.events = [
        Event(made[id(e.record)] if e.record is not None else None, e.outs, e.ins, e.in_place) for e in program.events
    ]
    return result


def describe(columns: Columns, leftover: Iterable[Column], limit: int = 2) -> str:
    """Which layers the columns without a form belong to, with some of their values and where they have them."""
    wanted = set(leftover)
    places = []
    for index, record in enumerate(all_records(columns.programs[0])):
        for column in columns.of_record(index):
            if column in wanted:
                wanted.discard(column)
                place = record.key.path or "the model"
                places.append(f"{place}/{record.key.op}: {_values(column, columns.points)}")
    more = f" and {len(places) - limit} more" if len(places) > limit else ""
    return "; ".join(places[:limit]) + more


def _values(column: Column, points: Sequence[dict[str, int]], limit: int = 4) -> str:
    """The first distinct values of a column, each with the symbols that tell its point from the others."""
    first = dict(reversed(list(zip(column, points, strict=True))))
    shown = list(dict.fromkeys(column))[:limit]
    names = [n for n in points[0] if len({first[value][n] for value in shown}) > 1]
    told = (f"{value} at {where({n: first[value][n] for n in names})}" if names else str(value) for value in shown)
    return ", ".join(told) + (", ..." if len(first) > limit else "")
