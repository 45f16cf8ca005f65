"""Reductions and scans along an axis."""

from __future__ import annotations

from math import prod

from symcost.errors import RuleError
from symcost.rules.base import Facts, Op, Size, Work, add, is_empty, rule, static
from symcost.rules.families.elementwise import combined
from symcost.rules.region import region_work

COMBINED_BY = {
    "reduce_sum": "add",
    "reduce_prod": "mul",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
    "cumsum": "add",
    "cumprod": "mul",
    "cummax": "max",
    "cummin": "min",
}
"""The elementwise primitive that joins two elements."""


def reduction(op: Op) -> Work:
    """``c (#in - #out)`` operations: every element but the first of each group is combined once.

    Of no elements, the result is a constant.
    """
    if is_empty(op.ins[0]):
        return Work(materialises=True)
    return combined(COMBINED_BY[op.name], op, op.ins[0].size - op.out.size, materialises=True)


add((name for name in COMBINED_BY if name.startswith("reduce_")), reduction)


@rule("reduce", extract=lambda params, ins, outs: Facts(static=(region_work(params["jaxpr"]),)))
def generic_reduce(op: Op) -> Work:
    """``c (#in - #out)`` with ``c`` the work of the combining function, whatever it is."""
    (combining,) = op.facts.static
    times: Size = 0 if is_empty(op.ins[0]) else op.ins[0].size - op.out.size
    return combining.repeated(times, materialises=True)


@rule("argmax", "argmin")
def arg_reduction(op: Op) -> Work:
    """``9 (#in - #out)`` for floats, ``7`` for integers: the combining function as it is compiled.

    Floats: greater, not-a-number and equal tests and the choice of the value (4 FLOPs); the index test, the
    choice of the index and the logic between them (5 integer operations). Integers have no not-a-number test
    and no ``or``.
    """
    times = op.ins[0].size - op.out.size
    if op.ins[0].is_float:
        return Work(flops=4 * times, int_ops=5 * times, materialises=True)
    return Work(int_ops=7 * times, materialises=True)


def _scan_counts(op: Op) -> tuple[Size, Size]:
    """Combinations a running reduction needs, ``(L - 1) #/L``, and those XLA counts, ``(L - 1) #``."""
    (axis,) = op.facts.static
    shape = op.ins[0].shape
    steps = shape[axis] - 1
    return steps * prod(shape[:axis] + shape[axis + 1 :]), steps * op.ins[0].size


@rule("cumsum", "cumprod", "cummax", "cummin", extract=static("axis"))
def running(op: Op) -> Work:
    """``c (L - 1) #/L`` operations along an axis of length ``L``.

    XLA sees a window of ``L`` taps at every position and reports the quadratic ``c (L - 1) #``.
    """
    useful, windowed = _scan_counts(op)
    return combined(COMBINED_BY[op.name], op, useful, windowed)


@rule("cumlogsumexp", extract=static("axis"))
def running_logsumexp(op: Op) -> Work:
    """``8 (L - 1) #/L`` FLOPs and ``2 (L - 1) #/L`` transcendentals: a stable log-sum-exp per step."""
    if op.ins[0].dtype.startswith("complex"):
        raise RuleError(f"cumlogsumexp of {op.ins[0].dtype} has no rule: take its real and imaginary parts")
    useful, windowed = _scan_counts(op)
    return Work(
        flops=8 * useful,
        transcendentals=2 * useful,
        xla_flops=8 * windowed,
        xla_transcendentals=2 * windowed,
    )
