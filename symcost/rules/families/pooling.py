"""Sliding windows without products: pooling, and the gradients of pooling."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from symcost.rules.base import Array, Facts, Op, Size, Work, arithmetic, rule, sizes
from symcost.rules.families.elementwise import combined
from symcost.rules.region import region_work


def _whole(params: Mapping[str, Any], shape: tuple[Any, ...]) -> int | None:
    """The axis along which every window sees everything: ``2 L - 1`` taps over a length ``L`` padded by ``L - 1``."""
    window = params["window_dimensions"]
    wide = [axis for axis, taps in enumerate(window) if taps > 1]
    if len(wide) != 1:
        return None
    (axis,) = wide
    length = shape[axis]
    fits = window[axis] == 2 * length - 1 and tuple(params["padding"][axis]) == (length - 1, length - 1)
    steps = [params.get(name) for name in ("window_strides", "base_dilation", "window_dilation")]
    return axis if fits and all(step is None or set(step) == {1} for step in steps) else None


def _pool(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(static=(_whole(params, ins[0].shape),), sizes={"window": tuple(params["window_dimensions"])})


def _combinations(op: Op) -> Any:
    return prod(op.facts.sizes["window"]) - 1


def _combined_under_xla(op: Op, axis: int | None) -> Size | None:
    """Combinations where XLA counts others: a window that sees everything is a reduction, ``#out/L + L - 1``."""
    if axis is None:
        return None
    shape = op.out.shape
    return prod(shape[:axis] + shape[axis + 1 :]) + shape[axis] - 1


COMBINED_BY = {"reduce_window_max": "max", "reduce_window_min": "min", "reduce_window_sum": "add"}


@rule(*COMBINED_BY, extract=_pool)
def pool(op: Op) -> Work:
    """``c (prod(window) - 1) #out``: padding is counted, by the textbook and by XLA alike."""
    (axis,) = op.facts.static
    under_xla = _combined_under_xla(op, axis)
    return combined(COMBINED_BY[op.name], op, _combinations(op) * op.out.size, under_xla, materialises=True)


def _window_region(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    static = (region_work(params["jaxpr"]), _whole(params, ins[0].shape))
    return Facts(static=static, sizes={"window": tuple(params["window_dimensions"])})


@rule("reduce_window", extract=_window_region)
def generic_pool(op: Op) -> Work:
    """``c (prod(window) - 1) #out`` with ``c`` the work of the combining function."""
    combining, axis = op.facts.static
    under_xla = _combined_under_xla(op, axis)
    return combining.repeated(_combinations(op) * op.out.size, under_xla, materialises=True)


@rule("select_and_scatter_add", extract=sizes(window="window_dimensions"))
def max_pool_gradient(op: Op) -> Work:
    """``#source prod(window)``: one comparison for every tap but the first, and one addition."""
    return arithmetic(op.ins[0], (_combinations(op) + 1) * op.ins[0].size, materialises=True)


@rule("select_and_gather_add", extract=sizes(window="window_dimensions"))
def max_pool_tangent(op: Op) -> Work:
    """``3 (prod(window) - 1) #out``: per tap a comparison, and the choice of value and tangent."""
    return arithmetic(op.ins[0], 3 * _combinations(op) * op.out.size, materialises=True)
