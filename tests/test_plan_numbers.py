"""Sizes that are numbers, cut along axes of any size: the mesh takes their divisors, and a size without any is one line."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import pytest

import symcost as sc

ROWS: list[tuple[str, int, str, dict[str, int]]] = [
    ("float32[B,768]", 3072, "train", dict(B=32, X=4, Y=2)),
    ("float32[B,768]", 3072, "train", dict(B=36, X=3, Y=2)),
    ("float32[B,36]", 60, "forward", dict(B=40, X=4, Y=5)),
    ("float32[8,d]", 12, "train", dict(d=32, X=2, Y=4)),
]
CUT = {"inputs/0": ("data",), "params/kernel": (None, "model")}


@pytest.mark.parametrize(
    ("spec", "features", "mode", "point"),
    [pytest.param(*row, marks=[pytest.mark.campaign] * ("train" in row)) for row in ROWS],
)
def test_axes_divide_numbers_as_they_are(spec: str, features: int, mode: Any, point: dict[str, int]) -> None:
    costs = sc.trace(nn.Dense(features), spec, plan=sc.Plan({"data": "X", "model": "Y"}, CUT), mode=mode)
    verdict = sc.verify(costs, at=point, targets=["cpu"])
    assert verdict, str(verdict)


def test_a_number_that_the_axis_does_not_divide_is_outside_of_the_domain() -> None:
    costs = sc.trace(nn.Dense(12), "float32[B,8]", plan=sc.Plan({"data": "X", "model": "Y"}, CUT))
    B, X, Y = sc.symbols("B X Y")
    assert sc.equal(costs.per_device.macs, 96 * B / (X * Y))
    assert costs.subs(B=6, X=3, Y=4).per_device.macs == 96 // 2
    with pytest.raises(sc.DomainError, match="12/Y is a size and must be an integer"):
        _ = costs.subs(B=6, X=3, Y=5).per_device


def test_a_number_along_two_axes_is_divided_by_their_product() -> None:
    plan = sc.Plan({"data": "X", "model": "Y"}, {"inputs/0": (("data", "model"),)})
    costs = sc.trace(lambda f: nn.Dense(f), "float32[24,d]", plan=plan)
    domain = costs.per_device.domain
    assert domain is not None
    assert "24 % (X*Y) == 0" in domain.conditions()


@pytest.mark.parametrize(("mesh", "features", "told"), [
    ({"data": "X", "model": "Y"}, 50257, "a size of 50257 is cut along model, and only 29 of 2 to 64 devices divide it: give Y a "
     "number, or make the size a symbol or another number"),
    ({"data": "X", "model": "Y"}, 67, "a size of 67 is cut along model, and none of 2 to 64 devices divide it: give Y a number, or "
     "make the size a symbol or another number"),
    ({"data": "X", "model": 4}, 6, "a size of 6 is cut along model into 4 parts, which do not divide it: give other axes, or other "
     "sizes"),
])  # fmt: skip
def test_a_number_without_divisors_is_one_line(mesh: Any, features: int, told: str) -> None:
    with pytest.raises(sc.LiftError) as problem:
        sc.trace(nn.Dense(features), "float32[B,8]", plan=sc.Plan(mesh, CUT))
    assert str(problem.value) == told
