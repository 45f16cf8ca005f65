"""Bounds hold at every point, directions are true, and the number of the smallest seed is never told."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import sympy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sweep_oracle import FORMULAS, NAMES, axes, configurations, value

import symcost as sc
from symcost.formulas.graph.monotone import Monotone
from symcost.sweeps.answers.partial import Partial
from symcost.sweeps.engines.nest import Nest
from symcost.sweeps.engines.seeds import seeds
from symcost.sweeps.numbers.bounds import Bounds
from symcost.sweeps.numbers.program import GraphProgram
from symcost.sweeps.question.pinned import pinned
from symcost.sweeps.question.problem import Problem, SearchPlan, make_problem
from symcost.sweeps.run.task import SearchJob, run_part, search

MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def planned(formula: Any, grid: dict[str, list[int]]) -> SearchPlan:
    """A plan, or another example where a divisor can be 0."""
    asked = {"f": formula, "every": "a + b + c"}
    try:
        plan = SearchPlan(make_problem(asked, sc.Space(grid), objectives=[("f", False)]))
        assert plan.objectives
    except sc.ExpressionError as problem:
        assume("could be 0" not in str(problem))
        raise
    return plan


def at_points(plan: SearchPlan, node: Any, grid: dict[str, list[int]]) -> list[Any]:
    """A node's value at every configuration, by Python's integers."""
    from symcost.formulas.graph.graph import APPLY, cone

    found = []
    for at in configurations(grid):
        known: dict[int, Any] = {}
        for part in cone([node]):
            if part.op == "constant":
                known[part.index] = part.value
            elif part.op == "axis":
                known[part.index] = at[plan.order[part.value]]
            else:
                known[part.index] = APPLY[part.op](*(known[a.index] for a in part.args))
        found.append(known[node.index])
    return found


@MANY
@given(st.data())
def test_bounds_of_outer_axes_hold_for_all_inner_ones(data: st.DataObject) -> None:
    grid, formula = data.draw(axes(30, 4)), data.draw(FORMULAS)
    plan = planned(formula, grid)
    (node,) = plan.objectives
    values = at_points(plan, node, grid)
    low, high = plan.ranges(node)
    assert low <= min(values)
    assert max(values) <= high
    for fixed in range(2 ** len(NAMES)):
        below, above = Bounds(plan.graph, plan.ranges, fixed)(node)
        assert not (below.axes | above.axes) & ~fixed
        pairs = zip(at_points(plan, below, grid), values, at_points(plan, above, grid), strict=True)
        assert all(a <= b <= c for a, b, c in pairs)


@MANY
@given(st.data())
def test_a_certified_direction_is_true(data: st.DataObject) -> None:
    grid, formula = data.draw(axes(30, 4)), data.draw(FORMULAS)
    plan = planned(formula, grid)
    for position, name in enumerate(plan.order):
        direction = Monotone(plan.graph, plan.ranges, position)(plan.objectives[0])
        if direction is None:
            continue
        others = {n: v for n, v in grid.items() if n != name}
        for at in configurations(others):
            moved = [value(formula, {**at, name: v}) for v in sorted(grid[name])]
            assert all((b - a) * direction >= 0 if direction else a == b for a, b in itertools.pairwise(moved))


def test_what_a_network_costs_is_certified_to_grow_in_all_its_sizes() -> None:
    n, r, c, L = sc.symbols("n r c L")
    block = sc.Residual(sc.Sequential(sc.Conv2d(c_o=c, k=3, p=1), sc.BatchNorm(), sc.ReLU()))
    net = sc.Sequential(sc.Conv2d(c_o=c, k=7, s=2, p=3), sc.Repeat(block, L - 1), sc.GlobalAvgPool(), sc.Linear(10))
    space = sc.Space(n=[1, 2], r=range(32, 65), c=range(8, 65, 8), L=range(1, 9))
    table = sc.table(net, (n, 3, r, r))
    problem = make_problem(table, space, ["peak_textbook <= 90_000"], [("macs", False), ("params", True)])
    plan = SearchPlan(problem)
    assert [Monotone(plan.graph, plan.ranges, p)(plan.objectives[0]) for p in range(4)] == [1, 1, 1, 1]
    assert {name: len(values) for name, values in pinned(problem).axes.items()} == {"n": 1, "r": 1, "c": 8, "L": 8}


def job(kind: Any, keep: int = 5) -> SearchJob:
    """A search that is large enough for seeds."""
    formulas = {"f": "a*b + c*c", "g": "a*(c + b) - b"}
    goals = [("f", False), ("g", True)] if kind == "front" else [("g", True)]
    problem = make_problem(formulas, sc.Space(a=range(1, 400), b=range(1, 200), c=range(1, 200)), ["f <= 9000"], goals)
    return SearchJob(problem, kind, keep, "numpy")


def test_seeds_and_what_is_known_change_the_work_and_not_the_result() -> None:
    for kind in ("top", "front"):
        asked = job(kind)
        found = search(asked)
        sown = seeds(found.plan, asked.kind, asked.keep)
        assert sown is not None
        assert set(sown.index.tolist()) == {-1}
        bare, seeded = found.run(0, found.outer, None), found.run(0, found.outer, sown)
        assert seeded.visited < bare.visited
        assert seeded.index.tolist() == bare.index.tolist()
        first = run_part(asked, 0, 100, sown)
        rest = run_part(asked, 100, found.outer, sown.joined(first, asked.keep))
        joined = first.joined(rest, asked.keep)
        assert joined.index.tolist() == bare.index.tolist()
        assert [c.tolist() for c in joined.objectives] == [c.tolist() for c in bare.objectives]


def test_a_job_arrives_as_it_left_and_once_in_every_process() -> None:
    a, b = sc.symbols("a b")
    formulas = {"f": sympy.Max(a * b, a, b, evaluate=False) + 1, "g": sympy.Piecewise((a, a > b), (b, True))}
    problem = make_problem(formulas, sc.Space(a=range(1, 9), b=range(1, 9)), ["g <= 7"], [("f", False)])
    sent = pickle.dumps(SearchJob(problem, "top", 3, "numpy"))
    arrived = pickle.loads(sent)
    assert pickle.loads(sent) is arrived
    assert arrived.problem.formulas == problem.formulas
    assert (arrived.problem.order, arrived.key) == (problem.order, SearchJob(problem, "top", 3, "numpy").key)
    assert search(arrived).run(0, search(arrived).outer).objectives[0].tolist() == [2, 3, 3]


def test_parts_join_in_any_order() -> None:
    asked = job("front")
    parts = [run_part(asked, start, start + 57) for start in range(0, 399, 57)]
    forwards, backwards = Partial("front"), Partial("front")
    for part in parts:
        forwards = forwards.joined(part, 0)
    for part in parts[::-1]:
        backwards = backwards.joined(part, 0)
    assert forwards.index.tolist() == backwards.index.tolist()


def test_levels_need_only_what_outer_levels_carry() -> None:
    plan = SearchPlan(job("front").problem)
    levels = Nest(plan).levels
    assert [level.below for level in levels][-1] == 1
    for outer, inner in itertools.pairwise(levels):
        program = GraphProgram(plan.tiers, inner.tests, outer.carried)
        assert {axis.value for axis in program.axes} <= set(inner.axes)
    assert isinstance(plan.problem, Problem)
    assert np.prod([level.length for level in levels]) == plan.problem.size
