"""Traces of one model zipped record by record: the same program at several sizes, and its lifted records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from symcost.errors import LiftError
from symcost.form import Form
from symcost.trace.fit import Column, Fitter
from symcost.trace.records import Event, Program, Record


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
    """The integers of aligned programs: for every record the tuple of its sizes at each point."""

    programs: Sequence[Program]

    def __post_init__(self) -> None:
        self.rows = list(zip(*(tuple(r.sizes for r in all_records(p)) for p in self.programs), strict=True))

    def distinct(self) -> set[Column]:
        """Every distinct column."""
        return {column for row in set(self.rows) for column in zip(*row, strict=True)}

    def of_record(self, index: int) -> list[Column]:
        """The columns of one record."""
        return list(zip(*self.rows[index], strict=True))


def lifted(columns: Columns, fitter: Fitter) -> Program:
    """The program with closed forms in place of integers; every column must have been fitted."""
    base = columns.programs[0]
    seen: dict[Any, tuple[Form, ...]] = {}

    def forms(row: Any) -> tuple[Form, ...]:
        found = seen.get(row)
        if found is None:
            found = seen[row] = tuple(_fitted(fitter, column) for column in zip(*row, strict=True))
        return found

    replaced = {id(record): forms(row) for record, row in zip(all_records(base), columns.rows, strict=True)}
    return with_sizes(base, lambda record: replaced[id(record)])


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
        new = Record(record.key, sizes(record), record.ins, record.outs, branches)
        made[id(record)] = new
        return new

    result = Program(outputs=program.outputs, strides=program.strides, unknown_trips=program.unknown_trips)
    result.inputs = [copy(r) for r in program.inputs]
    result.records = [copy(r) for r in program.records]
    result.residuals = [copy(r) for r in program.residuals]
    result.events = [
        Event(made[id(e.record)] if e.record is not None else None, e.outs, e.ins, e.in_place) for e in program.events
    ]
    return result


def describe(columns: Columns, leftover: Iterable[Column], points: Sequence[dict[str, int]], limit: int = 3) -> str:
    """Which layers the columns without a form belong to, with their values."""
    wanted = set(leftover)
    found = []
    for index, record in enumerate(all_records(columns.programs[0])):
        for column in columns.of_record(index):
            if column in wanted:
                wanted.discard(column)
                where = record.key.path or "the model"
                found.append(f"{where}/{record.key.op}: {', '.join(map(str, column))}")
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return "; ".join(found[:limit]) + more
