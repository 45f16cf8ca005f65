"""Sliding windows without products: pooling, and the gradients of pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.rules.base import Array, Facts, Op, Work, arithmetic, product, rule
from symcost.rules.region import region_cost


def _window(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(sizes={"window": tuple(params["window_dimensions"])})


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
    return product(op.facts.sizes["window"]) - 1


def _combined_under_xla(op: Op, axis: int | None) -> Any:
    """Combinations as XLA counts them: a window that sees everything is a reduction, ``#out/L + L - 1``."""
    if axis is None:
        return _combinations(op) * op.out.size
    shape = op.out.shape
    return product(shape[:axis] + shape[axis + 1 :]) + shape[axis] - 1


@rule("reduce_window_max", "reduce_window_min", "reduce_window_sum", extract=_pool)
def pool(op: Op) -> Work:
    """``(prod(window) - 1) #out``: padding is counted, by the textbook and by XLA alike."""
    (axis,) = op.facts.static
    under_xla = _combined_under_xla(op, axis)
    return arithmetic(op.ins[0], _combinations(op) * op.out.size, materialises=True, xla_flops=under_xla)


def _window_region(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    cost = (*region_cost(params["jaxpr"]), _whole(params, ins[0].shape))
    return Facts(static=cost, sizes={"window": tuple(params["window_dimensions"])})


@rule("reduce_window", extract=_window_region)
def generic_pool(op: Op) -> Work:
    """``c (prod(window) - 1) #out`` with ``c`` the work of the combining function."""
    flops, transcendentals, int_ops, axis = op.facts.static
    times = _combinations(op) * op.out.size
    under_xla = _combined_under_xla(op, axis)
    return Work(
        flops=flops * times,
        transcendentals=transcendentals * times,
        int_ops=int_ops * times,
        materialises=True,
        xla_flops=(flops + int_ops) * under_xla,
        xla_transcendentals=transcendentals * under_xla,
    )


@rule("select_and_scatter_add", extract=_window)
def max_pool_gradient(op: Op) -> Work:
    """``#source prod(window)``: one comparison for every tap but the first, and one addition."""
    return arithmetic(op.ins[0], (_combinations(op) + 1) * op.ins[0].size, materialises=True)


@rule("select_and_gather_add", extract=_window)
def max_pool_tangent(op: Op) -> Work:
    """``3 (prod(window) - 1) #out``: per tap a comparison, and the choice of value and tangent."""
    return arithmetic(op.ins[0], 3 * _combinations(op) * op.out.size, materialises=True)
