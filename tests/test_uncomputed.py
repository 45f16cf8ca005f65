"""What a program decides with floats is asked point by point where a space or a page cannot compute it, never left aside."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import flax.linen as nn
import pytest
from test_decisions import ROWS

import symcost as sc
from symcost.report.page.render import render

OUTSIDE = [d for d in range(2, 400) if int(d * 0.7) != 7 * d // 10]


@pytest.fixture(scope="module")
def costs() -> sc.CostTable:
    """A layer of ``int(0.7*d)`` features."""
    row = ROWS["a width by a float"]
    return sc.trace(row.program, *row.specs, referee=False)


def test_floats_round_otherwise_here_and_there(costs: sc.CostTable) -> None:
    assert OUTSIDE
    (decision,) = costs.domain.uncomputed  # type: ignore[union-attr]
    assert str(decision).startswith("int(d*0.7) == floor(7*d/10) (test_decisions.py:")


def test_points_at_which_floats_decide_otherwise_are_none_of_a_space(costs: sc.CostTable) -> None:
    space = sc.Space(n=[1], d=range(2, 400))
    assert sc.count(costs, space) == 398 - len(OUTSIDE)
    worst = sc.sweep(costs, sc.Space(n=[1], d=[3, *OUTSIDE]), maximize="params", top=1).rows
    assert [row["d"] for row in worst] == [3]
    assert sc.count(costs, sc.Space(n=[1], k=range(1, 40)), define={"d": "10*k"}) == 39 - sum(
        int(10 * k * 0.7) != 7 * k for k in range(1, 40)
    )


def test_too_many_points_are_refused_in_words(costs: sc.CostTable) -> None:
    with pytest.raises(
        sc.SpaceError, match=r"point by point at up to 20,000 points: d have 49,998, give them fewer values"
    ):
        sc.count(costs, sc.Space(n=[1], d=range(2, 50_000)))
    with pytest.raises(
        sc.SpaceError, match="is another one at more than 256 points of the axes d: give them fewer values"
    ):
        sc.count(costs, sc.Space(n=[1], d=range(2, 20_000)))


def test_the_largest_value_keeps_to_them(costs: sc.CostTable) -> None:
    last = OUTSIDE[-1]
    most = costs.subs(n=1, d=last - 1).params
    found = sc.solve(costs, f"params <= {most + 6}", largest="d", given={"n": 1}, within=range(2, last + 1))
    assert found.value == last - 1


def test_a_page_and_a_file_refuse_what_they_cannot_compute(costs: sc.CostTable, tmp_path: Path) -> None:
    with pytest.raises(sc.SymcostError, match="computes with floats, which the page has no place for: put d in"):
        render([("net", costs)])
    assert "int(d*0.7)" in render([("net", costs.subs(d=64))])


SHARES: dict[str, Callable[[int], int]] = {
    "half": lambda d: int(d * 0.5) + 1,
    "one and a half": lambda d: int(1.5 * d),
    "a quarter, up": lambda d: math.ceil(0.25 * d),
    "down": lambda d: math.floor(d * 2.75),
    "a quotient": lambda d: int(d / 3) + 1,
}


@pytest.mark.parametrize("width", SHARES.values(), ids=SHARES)
def test_a_share_that_floats_hold_exactly_is_a_quotient_and_may_be_saved(
    width: Callable[[int], int], tmp_path: Path
) -> None:
    costs = sc.trace(lambda d: nn.Dense(width(d), use_bias=False), "float32[n,8]", referee=False)
    assert costs.domain is not None
    assert not costs.domain.uncomputed
    costs.save(tmp_path / "share.json")
    loaded = sc.load(tmp_path / "share.json")
    for d in (2, 3, 7, 64, 4095, 10**9 + 7):
        assert loaded.subs(d=d, n=1).params == 8 * width(d)
    assert "may be outside" not in render([("net", costs)])


def test_what_a_file_cannot_compute_is_refused_with_its_line_and_the_cure(costs: sc.CostTable, tmp_path: Path) -> None:
    costs.save(tmp_path / "costs.json")
    with pytest.raises(
        sc.DomainError,
        match=r"^d=64 may be outside the domain: int\(d\*0\.7\) == floor\(7\*d/10\) \(test_decisions\.py:\d+\) computes with "
        r"floats, which a file has no place for; trace the model with sc\.trace and ask there$",
    ):
        sc.load(tmp_path / "costs.json").subs(d=64, n=1)


def test_columns_are_asked_point_by_point_too(costs: sc.CostTable) -> None:
    compiled = costs.compile("params")
    inside = [d for d in range(2, 400) if d not in OUTSIDE]
    assert compiled(d=inside)["params"].tolist() == [costs.subs(n=1, d=d).params for d in inside]
    with pytest.raises(sc.DomainError, match=rf"^row {len(inside)}: d={OUTSIDE[0]}"):
        compiled(d=[*inside, *OUTSIDE])
    with pytest.raises(sc.SpaceError, match="asked point by point at up to 20,000 points: d have 30,000; give fewer"):
        compiled(d=range(2, 30_002))
