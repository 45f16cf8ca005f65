"""Sliding windows without products: pooling, and the gradients of pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.rules.base import Array, Facts, Op, Work, arithmetic, product, rule
from symcost.rules.elementwise import combined
from symcost.rules.region import region_work


def _window(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(sizes={"window": tuple(params["window_dimensions"])})


def _combinations(op: Op) -> Any:
    return product(op.facts.sizes["window"]) - 1


COMBINED_BY = {"reduce_window_max": "max", "reduce_window_min": "min", "reduce_window_sum": "add"}


@rule(*COMBINED_BY, extract=_window)
def pool(op: Op) -> Work:
    """``c (prod(window) - 1) #out``: padding is counted, by the textbook and by XLA alike."""
    return combined(COMBINED_BY[op.name], op, _combinations(op) * op.out.size, materialises=True)


def _window_region(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(static=(region_work(params["jaxpr"]),), sizes={"window": tuple(params["window_dimensions"])})


@rule("reduce_window", extract=_window_region)
def generic_pool(op: Op) -> Work:
    """``c (prod(window) - 1) #out`` with ``c`` the work of the combining function."""
    (each,) = op.facts.static
    return each.repeated(_combinations(op) * op.out.size, materialises=True)


@rule("select_and_scatter_add", extract=_window)
def max_pool_gradient(op: Op) -> Work:
    """``#source prod(window)``: one comparison for every tap but the first, and one addition."""
    return arithmetic(op.ins[0], (_combinations(op) + 1) * op.ins[0].size, materialises=True)


@rule("select_and_gather_add", extract=_window)
def max_pool_tangent(op: Op) -> Work:
    """``3 (prod(window) - 1) #out``: per tap a comparison, and the choice of value and tangent."""
    return arithmetic(op.ins[0], 3 * _combinations(op) * op.out.size, materialises=True)
