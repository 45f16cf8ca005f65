"""Answers: survivors with the values of their axes and their exact costs, as rows, tables and text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symcost.sweeps.answers.partial import Partial
from symcost.sweeps.question.columns import CompiledFormulas
from symcost.sweeps.question.problem import Problem
from symcost.views import Viewed

WORD = 2**63


class Count(int):
    """The number of feasible configurations, with how it was found: ``size``, ``visited``, ``seconds``, ``engine``."""

    size: int
    visited: int
    seconds: float
    engine: str
    numbers: str

    @classmethod
    def of(cls, value: int, size: int, visited: int, seconds: float, engine: str, numbers: str) -> Count:
        """The count with its facts."""
        count = cls(value)
        count.size, count.visited, count.seconds, count.engine, count.numbers = size, visited, seconds, engine, numbers
        return count


@dataclass(frozen=True, repr=False)
class Answer(Viewed, kind="answer"):
    """Configurations that were asked for: best first, along the front, or all of them.

    ``columns`` has the axes and then the costs, each a list of exact numbers; ``count`` is the number of feasible
    configurations in the whole space, None where it was not asked for.
    """

    columns: Mapping[str, Sequence[Any]]
    axes: Mapping[str, Sequence[Any]]
    """The values of every axis of the space."""
    count: int | None
    size: int
    visited: int
    seconds: float
    engine: str
    numbers: str
    note: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    objectives: tuple[tuple[str, bool], ...] = ()
    """What was minimised (False) or maximised (True)."""
    histograms: Mapping[str, Sequence[tuple[Any, Any, int]]] = field(default_factory=dict)
    """By cost: bins (low, high, number of feasible configurations), where they were asked for."""
    compared: str = ""
    """What was compared with fresh traces of the first configurations, in words."""
    units: Mapping[str, str] = field(default_factory=dict)
    """By column in seconds, joules or bytes what stands behind its numbers: ``s``, ``J``, ``B``."""
    model: str = ""
    """What the model is called, of several all of their names; nothing for formulas alone."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: column[index] for name, column in self.columns.items()}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One mapping per configuration."""
        return [self[index] for index in range(len(self))]

    def to_arrow(self) -> Any:
        """A pyarrow table; numbers beyond 64 bits are decimals, beyond 38 digits text."""
        from symcost.sweeps.answers.tabular import arrow

        return arrow(self)

    def to_pandas(self) -> Any:
        """A pandas data frame."""
        from symcost.sweeps.answers.tabular import pandas

        return pandas(self)

    def to_polars(self) -> Any:
        """A polars data frame."""
        from symcost.sweeps.answers.tabular import polars

        return polars(self)

    def plot(self, path: str | Path, colour: str | None = None) -> None:
        """Draw the front, coloured by an axis, or all feasible configurations over the two axes that vary.

        The ending says the format: ``.png``, ``.svg`` or ``.pdf``.
        """
        from symcost.sweeps.answers.pictures import plot

        plot(self, Path(path), colour)

    def __repr__(self) -> str:
        many = "" if self.count is None else f", {self.count:,} feasible"
        return f"<Answer of {len(self):,} configurations of {self.size:,}{many}: {', '.join(self.columns)}>"


def values_at(problem: Problem, order: Sequence[str], index: Any) -> dict[str, list[int]]:
    """Values of the axes at numbers of configurations, in the space's own order of axes."""
    columns: dict[str, list[int]] = {}
    left = [int(i) for i in index]
    for name in reversed(order):
        values = problem.axes[name]
        columns[name] = [values[i % len(values)] for i in left]
        left = [i // len(values) for i in left]
    return {name: columns[name] for name in problem.axes}


def columns_at(problem: Problem, part: Partial) -> dict[str, list[Any]]:
    """Axes and costs of a part's survivors, evaluated anew from the formulas."""
    at = values_at(problem, problem.order, part.index)
    evaluate = CompiledFormulas(problem.shown, problem.formulas)
    length = len(part.index)
    costs = evaluate(**{name: at[name] for name in evaluate.symbols}) if length else dict.fromkeys(problem.shown, ())
    spread = {name: list(column) * (length if len(column) == 1 else 1) for name, column in costs.items()}
    return {**at, **{name: [_plain(v) for v in column] for name, column in spread.items()}}


def _plain(value: Any) -> Any:
    return int(value) if hasattr(value, "__index__") else value
