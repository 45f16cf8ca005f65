"""Collectives: what each device computes while it exchanges data. Bytes on the links are not arithmetic."""

from __future__ import annotations

from symcost.rules.base import Op, Size, Work, add, rule
from symcost.rules.complex_numbers import parts
from symcost.rules.families.elementwise import counted, figure
from symcost.rules.families.layout import free

COMBINED_BY = {"psum": "add", "psum_invariant": "add", "pmax": "max", "pmin": "min"}


@rule(*COMBINED_BY)
def all_reduce(op: Op) -> Work:
    """``#out`` operations on each device: a ring combines every element once, however many devices."""
    total: Size = 0
    seen: Size = 0
    for out in op.outs:
        total, seen = total + figure(COMBINED_BY[op.name], out.dtype)[0] * out.size, seen + out.size
    return counted(op, total, xla_flops=seen)


@rule("reduce_scatter")
def reduce_scatter(op: Op) -> Work:
    """``#in - #out`` operations on each device; XLA counts none."""
    return counted(op, parts(op.out.dtype) * (op.ins[0].size - op.out.size), xla_flops=0)


@rule("axis_index")
def axis_index(op: Op) -> Work:
    """``3`` integer operations: the device's number is divided, reduced and converted."""
    return Work(int_ops=3)


add(("all_gather", "all_gather_invariant", "all_to_all", "ppermute"), free)  # data moves between devices
