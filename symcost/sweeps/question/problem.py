"""What is asked: a space, formulas, conditions and objectives, checked against each other and put in one order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import sympy

from symcost.errors import SpaceError
from symcost.estimate.questions.constraint import asked
from symcost.estimate.questions.names import Metrics
from symcost.estimate.questions.planned import domain_of, is_planned
from symcost.estimate.questions.resolve import resolved
from symcost.estimate.questions.setting import QuantityOptions
from symcost.formulas.conditions import Combined, Compare, Condition, compares, names, put
from symcost.formulas.graph.graph import Graph, Node
from symcost.formulas.graph.lower import Lowering
from symcost.formulas.graph.ranges import Ranges
from symcost.formulas.measures import sign_of
from symcost.formulas.symbols import parse
from symcost.reading.nearest import choose
from symcost.sweeps.numbers.tiers import Tiers
from symcost.sweeps.question.columns import CompiledFormulas
from symcost.sweeps.question.dependents import dependents
from symcost.sweeps.question.space import Space
from symcost.sweeps.question.uncomputed import outside


@dataclass(frozen=True)
class Problem:
    """A space, its formulas and what is asked; everything in it can be sent to another process.

    ``formulas`` are all that is needed by name, each in axes and names of others; ``shown`` the names and texts that a
    result has. ``objectives`` are smaller-is-better: what is maximised stands there with a minus sign.
    """

    axes: dict[str, Sequence[int]]
    formulas: dict[str, Any]
    shown: dict[str, Any]
    where: tuple[tuple[str, Condition], ...] = ()
    objectives: tuple[tuple[str, Any], ...] = ()
    domain: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    """By name of what is shown in seconds, joules or bytes the sign behind its numbers."""

    @property
    def size(self) -> int:
        """Number of combinations."""
        return Space(self.axes).size

    @cached_property
    def digest(self) -> str:
        """A fingerprint of the space, the formulas, the conditions and the objectives."""
        parts = [
            *(f"{name}={list(_runs(values))}" for name, values in sorted(self.axes.items())),
            *(f"{name}:{formula}" for name, formula in sorted(self.formulas.items())),
            *(f"shown {name}" for name in self.shown),
            *(f"where {_text(condition)}" for _, condition in self.where),
            *(f"objective {formula}" for _, formula in self.objectives),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Axes from the outermost to the innermost: those on which most of the formulas depend come first."""
        sides = [side for _, c in self.where for k in compares(c) for side in (k.left, k.right)]
        roots = [*(formula for _, formula in self.objectives), *sides]
        counted = dependents(roots, self.formulas, self.axes)
        moved = self._influence(sides)
        # Alike in structure, those come first that move the conditions most: what is left open inside is little then.
        return tuple(sorted(self.axes, key=lambda name: (-counted[name].bit_length(), -moved[name], name)))

    def _influence(self, sides: Iterable[Any]) -> dict[str, Any]:
        """How far each axis moves the sides of the conditions, in shares of what all axes move; only an order."""
        evaluate = CompiledFormulas({str(i): side for i, side in enumerate(sides)}, self.formulas)
        names = list(self.axes)
        middle = {name: values[len(values) // 2] for name, values in self.axes.items()}
        points = [{**middle, name: values[place]} for name, values in self.axes.items() for place in (0, -1)]
        columns = {name: [point[name] for point in points] for name in evaluate.symbols}
        influence = dict.fromkeys(names, 0.0)
        for values in evaluate(**columns).values() if columns else ():
            if len(values) == len(points):
                moved = [abs(float(values[2 * i + 1] - values[2 * i])) for i in range(len(names))]
                for name, step in zip(names, moved, strict=True):
                    influence[name] += step / (sum(moved) or 1.0)
        return influence


def _runs(values: Sequence[int]) -> Iterable[int | str]:
    return [repr(values)] if isinstance(values, range) else values


def _text(condition: Condition) -> str:
    if isinstance(condition, Compare):
        return f"({sympy.srepr(condition.left)} {condition.op} {sympy.srepr(condition.right)})"
    return (
        f"{condition.op}({', '.join(map(_text, condition.parts))})"
        if isinstance(condition, Combined)
        else condition.text
    )


def make_problem(
    costs: Any,
    space: Space,
    where: Iterable[str] = (),
    objectives: Iterable[tuple[str, bool]] = (),
    shown: Iterable[str] | None = None,
    define: Mapping[str, Any] | None = None,
    options: QuantityOptions | Mapping[str, Any] = MappingProxyType({}),
) -> Problem:
    """The problem of a cost table (or formulas by name) over a space of integers.

    ``objectives`` are (text, maximise). Conditions of the closed form's domain are added to those asked for:
    a configuration outside does not exist. ``options`` are those of the quantities.
    """
    metrics = Metrics(costs, define, options)
    axes = dict(space.numbers)
    table = metrics.table
    stated = (*space.where, *where)
    goals = [(text, parse(text), maximise) for text, maximise in objectives]
    named = list(dict.fromkeys([*(shown if shown is not None else metrics.shown()), *(text for text, _, _ in goals)]))
    domain: tuple[str, ...] = ()
    within = None if table is None else domain_of(table, is_planned(metrics, stated, named))
    if table is not None and within is not None:
        fixed = {name: sympy.Integer(value) for name, value in table.point.items()}
        domain = (*within.conditions(), *outside(within, axes, {**metrics.given, **fixed}))
    limits = tuple((text, asked(text, metrics)) for text in stated)
    limits += tuple((text, put(asked(text, metrics), table.point if table is not None else {})) for text in domain)
    shown_formulas = {name: parse(name) for name in named}
    sides = [side for _, c in limits for k in compares(c) for side in (k.left, k.right)]
    used = {n for _, c in limits for n in names(c)} | {str(s) for f in shown_formulas.values() for s in f.free_symbols}
    try:
        formulas = resolved(metrics, axes, [*shown_formulas.values(), *sides])
    except SpaceError as problem:  # perhaps since an axis is mistyped
        try:
            _check_axes(axes, metrics, used)
        except SpaceError as axis:
            raise SpaceError(f"{problem}; {axis}") from None
        raise
    _check_axes(axes, metrics, used)
    signed = tuple((text, -formula if maximise else formula) for text, formula, maximise in goals)
    units = {name: sign for name, formula in shown_formulas.items() if (sign := sign_of(formula, metrics.dimension))}
    return Problem(axes, formulas, shown_formulas, limits, signed, domain, units)


def _check_axes(axes: Iterable[str], metrics: Metrics, used: set[str]) -> None:
    """Every axis is a symbol of something, and nothing else."""
    for name in axes:
        if name in metrics.given or name in metrics.own:
            what = "a formula that is given too" if name in metrics.given else "a number of the costs too"
            raise SpaceError(f"the axis {name} is {what}: which one is meant? Give one of them another name")
        if name not in used | metrics.symbols:
            hint = choose(name, sorted(metrics.symbols), 1, "their symbols are")
            raise SpaceError(f"the axis {name} is no symbol of the costs: {hint}")


@dataclass
class SearchPlan:
    """A problem as a graph over its axes in the order of evaluation."""

    problem: Problem
    order: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.order = self.problem.order
        self.values = [self.problem.axes[name] for name in self.order]
        self.graph = Graph([len(v) for v in self.values])
        self.ranges = Ranges(self.values)
        self.tiers = Tiers(self.ranges)
        self.lower = Lowering(self.graph, self.ranges, self.order, self.problem.formulas)

    @cached_property
    def conditions(self) -> list[Node]:
        """A logical node for each condition."""
        return [self.lower.holds(condition) for _, condition in self.problem.where]

    @cached_property
    def feasible(self) -> Node:
        """All conditions at once."""
        return self.graph.chain("and", self.conditions)

    @cached_property
    def objectives(self) -> list[Node]:
        """A node for each objective, smaller is better; a positive constant below the line is left out."""
        nodes = [self.lower(formula) for _, formula in self.problem.objectives]
        return [r.above if r.below.op == "constant" else self.graph.apply("div", r.above, r.below) for r in nodes]
