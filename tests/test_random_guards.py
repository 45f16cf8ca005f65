"""Random programs that decide by their sizes: no number of a closed form is another one than a fresh trace counts.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from effort import EXPLORE, also_campaign, examples
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_guards import Program, points, programs

import symcost as sc
from symcost.costs.cost import CONVENTIONS, METRICS

DAILY, CAMPAIGN = 15, 2000
POINTS = 6
REFUSED = 0.5
"""At most this share of programs has no closed form at all."""


def concrete(program: Program, made: Any, point: dict[str, int]) -> sc.CostTable:
    """The program counted at one point, every symbol a number."""
    spec = program.spec
    for name in program.symbols:
        spec = spec.replace(f",{name}", f",{point[name]}")
    if program.api == "function":
        return sc.trace_function(made, spec, referee=False)
    own = {name: point[name] for name in program.parameters}
    return sc.trace(lambda: made(**own), spec, referee=False)


def wrong(costs: sc.CostTable, right: sc.CostTable, point: dict[str, int]) -> list[str]:
    """The numbers of a closed form that are others than those of a fresh trace."""
    here = costs.subs(**point)
    bounds = costs.domain.bounds_at_one if costs.domain.has_one(point) else frozenset()
    pairs = [(f"{convention} {metric}", metric, getattr(here.total(convention), metric), getattr(right.total(convention), metric))
             for convention in CONVENTIONS for metric in METRICS]  # fmt: skip
    return [f"{name}: form {ours}, trace {theirs}" for name, metric, ours, theirs in pairs
            if ours != theirs and not (metric in bounds and ours > theirs)]  # fmt: skip


@also_campaign
def test_no_number_of_a_random_program_is_another_one_than_a_fresh_trace_counts(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=EXPLORE or examples(DAILY, CAMPAIGN),
        derandomize=not EXPLORE,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.generate],  # a program of few lines needs no shrinking
    )
    @given(programs(), st.data())
    def holds(program: Program, data: st.DataObject) -> None:
        seen["programs"] += 1
        made = program.written(tmp_path, f"guarded_{seen['programs']}")
        trace = sc.trace if program.api == "linen" else sc.trace_function
        try:
            costs = trace(made, program.spec, referee=False)
        except sc.SymcostError:
            seen["refused"] += 1
            return
        for point in data.draw(st.lists(points(program), min_size=POINTS, max_size=POINTS)):
            if costs.domain.problem(point) is not None:
                continue
            differing = wrong(costs, concrete(program, made, point), point)
            assert not differing, f"at {point}: {'; '.join(differing)}; domain {costs.domain}"
            seen["points"] += 1

    holds()
    assert seen["refused"] <= REFUSED * seen["programs"], seen
    assert seen["points"] > seen["programs"], seen
