"""Reading and writing at computed places, sorting and selecting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from symcost.rules.base import Array, Facts, Op, Size, Work, arithmetic, log2_ceiling, rule, static
from symcost.rules.complex_numbers import LESS, is_complex
from symcost.rules.region import region_work


def _mode(params: Mapping[str, Any]) -> str:
    return getattr(params["mode"], "name", str(params["mode"]))


@rule("gather", extract=lambda params, ins, outs: Facts(static=(_mode(params),)))
def gather(op: Op) -> Work:
    """``0``, or with filled out-of-range places ``4 #indices - #rows + #out`` integer operations.

    Two comparisons and their conjunction per index, the conjunction along each index vector
    (``#indices - #rows``), and the choice between value and fill per element.
    """
    if op.facts.static != ("FILL_OR_DROP",):
        return Work()
    indices = op.ins[1]
    rows = prod(indices.shape[:-1])
    return Work(int_ops=4 * indices.size - rows + op.out.size)


def _scatter_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    update = params["update_jaxpr"]
    return Facts(static=(_mode(params), Work() if update is None else region_work(update)))


@rule(
    "scatter",
    "scatter-add",
    "scatter-sub",
    "scatter-mul",
    "scatter-min",
    "scatter-max",
    extract=_scatter_facts,
)
def scatter(op: Op) -> Work:
    """``c #updates``, ``c`` the combining function's work (0 to set, 1 to add); ``+ #indices`` to clip."""
    mode, combining = op.facts.static
    _, indices, updates = op.ins
    clips: Size = indices.size if mode == "CLIP" else 0
    work = combining.repeated(updates.size)
    return replace(work, int_ops=work.int_ops + clips, xla_flops=work.flops_under_xla + clips)


def _comparisons(operand: Array, axis: int) -> Work:
    """``# ceil(log2 L)`` comparisons along an axis of ``L``; XLA takes the logarithm of the whole array."""
    comparison = LESS if is_complex(operand.dtype) else 1
    useful = comparison * operand.size * log2_ceiling(operand.shape[axis])
    return arithmetic(operand, useful, xla_flops=operand.size * log2_ceiling(operand.size))


@rule("sort", extract=static("dimension"))
def sort(op: Op) -> Work:
    """``# ceil(log2 L)`` comparisons for rows of length ``L``; XLA reports ``# ceil(log2 #)``."""
    return _comparisons(op.ins[0], op.facts.static[0])


def _approx_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    return Facts(static=(params["reduction_dimension"], params["k"] == 1))


@rule("approx_top_k", extract=_approx_facts)
def approx_top_k(op: Op) -> Work:
    """A full sort off the accelerators: ``# ceil(log2 L)``, and XLA reports ``# ceil(log2 #)``.

    The best one alone is a reduction of values with their places: a comparison and two choices for each of
    ``#in - #out``.
    """
    axis, alone = op.facts.static
    operand = op.ins[0]
    if not alone:
        return _comparisons(operand, axis)
    times = operand.size - op.out.size
    return Work(flops=2 * times, int_ops=times) if operand.is_float else Work(int_ops=3 * times)


@rule("top_k")
def top_k(op: Op) -> Work:
    """``#in`` comparisons, one per element, the least any selection needs; XLA counts none."""
    return arithmetic(op.ins[0], op.ins[0].size, xla_flops=0)
