"""Random programs that decide by their sizes: no number of a closed form is another one than a fresh trace counts.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from effort import EXPLORE, also_campaign, examples
from hypothesis import HealthCheck, Phase, given, seed, settings
from random_guards import Program, programs, telling

import symcost as sc
from symcost.costs.cost import CONVENTIONS, METRICS

DAILY = {"linen": 1, "function": 2, "setup": 1, "nnx": 1}
CAMPAIGN = {"linen": 900, "function": 700, "setup": 200, "nnx": 200}
"""Programs of each kind: one takes about a second, nearly all of it for the closed form."""
POINTS = 12
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
    return sc.trace(lambda: made(**own), spec, referee=False, mode=program.mode)


def derived(program: Program, made: Any) -> sc.CostTable:
    """The program's closed form."""
    if program.api == "function":
        return sc.trace_function(made, program.spec, referee=False, max_pieces=program.pieces)
    return sc.trace(made, program.spec, referee=False, mode=program.mode, max_pieces=program.pieces)


def inside(costs: sc.CostTable) -> Any:
    """The domain of a closed form."""
    return costs.domain


def wrong(costs: sc.CostTable, right: sc.CostTable, point: dict[str, int]) -> list[str]:
    """The numbers of a closed form that are others than those of a fresh trace."""
    here, domain = costs.subs(**point), inside(costs)
    bounds = domain.bounds_at_one if domain.has_one(point) else frozenset()
    pairs = [(f"{convention} {metric}", metric, getattr(here.total(convention), metric), getattr(right.total(convention), metric))
             for convention in CONVENTIONS for metric in METRICS]  # fmt: skip
    return [f"{name}: form {ours}, trace {theirs}" for name, metric, ours, theirs in pairs
            if ours != theirs and not (metric in bounds and ours > theirs)]  # fmt: skip


def explore(api: str, folder: Path, number: int, seeded: int | None = None, small: bool = False) -> Counter[str]:
    """So many programs, each compared with fresh traces; how many there were, how many had no form, and at how many points."""
    seen: Counter[str] = Counter()
    texts: set[str] = set()

    def holds(program: Program) -> None:
        seen["drawn"] += 1
        if (text := repr(program)) in texts:
            return
        texts.add(text)
        seen["programs"] += 1
        made = program.written(folder, f"guarded_{api}_{seeded or 0}_{seen['programs']}")
        try:
            costs = derived(program, made)
        except sc.SymcostError:
            seen["refused"] += 1
            return
        for point in telling(program, POINTS):
            if inside(costs).problem(point) is not None:
                continue
            differing = wrong(costs, concrete(program, made, point), point)
            assert not differing, f"at {point}: {'; '.join(differing)}; domain {costs.domain}"
            seen["points"] += 1

    drawn = given(programs(api, small))(holds)
    told = settings(
        max_examples=number,
        derandomize=not EXPLORE and seeded is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.generate],  # a program of few lines needs no shrinking
    )(drawn)
    (told if seeded is None else seed(seeded)(told))()
    return seen


@also_campaign
@pytest.mark.parametrize("api", DAILY)
def test_no_number_of_a_random_program_is_another_one_than_a_fresh_trace_counts(api: str, tmp_path: Path) -> None:
    seen = explore(api, tmp_path, EXPLORE or examples(DAILY[api], CAMPAIGN[api]))
    assert seen["refused"] <= REFUSED * seen["programs"], seen
    assert seen["points"] > seen["programs"], seen


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(10))
def test_no_number_of_2000_small_programs_is_another_one_than_a_fresh_trace_counts(part: int, tmp_path: Path) -> None:
    api = "linen" if part % 5 == 4 else "function"
    seen = explore(api, tmp_path, 200, part + 1, small=True)
    assert seen["drawn"] >= 200, "as many as are asked for"
    assert seen["refused"] <= REFUSED * seen["programs"], seen
    assert seen["points"] > seen["programs"], seen
