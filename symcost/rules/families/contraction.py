"""Matrix products: ``dot_general`` and its ragged cousin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from symcost.errors import RuleError
from symcost.rules.base import Array, Facts, Op, Size, Work, rule
from symcost.rules.complex_numbers import is_complex, real_products
from symcost.rules.families.elementwise import jax_version


def _dot_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    (lhs_contract, _), _ = params["dimension_numbers"]
    return Facts(static=(tuple(lhs_contract),))


@rule("dot_general", extract=_dot_facts)
def dot_general(op: Op) -> Work:
    """``macs = #out * prod(contracted dimensions)``, each of 4 real ones where an operand is complex.

    Operands of two number types are converted to the result's first, as XLA's processors ask (not two 8-bit floats),
    and XLA counts that: ``1`` for each element of an operand of another type, ``2`` from complex to real.
    """
    (contracted,) = op.facts.static
    macs = op.out.size * prod(op.ins[0].shape[axis] for axis in contracted)
    work = Work(macs=macs, real_products=_real_products(op), materialises=True)
    left, right = op.ins[0].dtype, op.ins[1].dtype
    if left == right or (left.startswith("float8") and right.startswith("float8")):
        return work
    steps = [1 + (is_complex(array.dtype) and not is_complex(op.out.dtype)) for array in op.ins[:2]]
    converted: Size = 0
    for array, step in zip(op.ins, steps, strict=False):
        converted = converted + (step * array.size if array.dtype != op.out.dtype else 0)
    return replace(work, xla_flops=2 * macs + converted)


def _real_products(op: Op) -> int:
    return real_products(*(array.dtype for array in op.ins[:2]))


def _ragged_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    numbers = params["ragged_dot_dimension_numbers"]
    (lhs_contract, _), (lhs_batch, _) = numbers.dot_dimension_numbers
    (ragged,) = numbers.lhs_ragged_dimensions
    return Facts(static=(tuple(lhs_contract), ragged in lhs_contract, ragged in lhs_batch))


@rule("ragged_dot_general", extract=_ragged_facts)
def ragged_dot_general(op: Op) -> Work:
    """``macs``: every row (or contracted position) meets the matrix of its own group only.

    Ragged rows ``[m, k] x [g, k, n]``: ``m k n``. Ragged contraction ``[k, m] x [k, n] -> [g, m, n]``: ``k m
    n``. XLA multiplies every group with masked operands: ``2 g`` times those MACs, ``4 g`` operations per
    element of each masked operand (two comparisons, their conjunction, a choice), and a running sum of the
    group sizes per operand.
    """
    lhs, rhs, sizes = op.ins[:3]
    contracted, ragged_contraction, ragged_batch = op.facts.static
    if ragged_batch or len(sizes.shape) != 1:
        raise RuleError("ragged_dot_general with ragged batches has no rule: use ragged rows or contraction")
    groups = sizes.size
    length = prod(lhs.shape[axis] for axis in contracted)
    if ragged_contraction:
        macs = prod(op.out.shape[1:]) * length
        masked, elements = 2, lhs.size + rhs.size
    else:
        macs = op.out.size * length
        masked, elements = 1, lhs.size
    running_sum: Size = groups * (groups - 1)
    if jax_version() >= (0, 12):
        running_sum = groups * groups  # one more operation per group
    xla = 2 * groups * macs + 4 * groups * elements + masked * running_sum
    return Work(macs=macs, real_products=_real_products(op), xla_flops=xla, materialises=True)
