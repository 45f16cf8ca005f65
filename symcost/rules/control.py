"""Control flow: what a loop costs beside its body."""

from __future__ import annotations

from symcost.rules.base import Op, Work, rule


@rule("scan")
def scan(op: Op) -> Work:
    """Counter increment and comparison per trip; two more index operations per trip where slices are taken in reverse."""
    (reverse,) = op.facts.static
    return Work(int_ops=4 if reverse else 2)


@rule("shard_map")
def shard_map(op: Op) -> Work:
    """Nothing beside its body; XLA marks the calls that shard the operands and gather the results with -1 each."""
    (calls,) = op.facts.static
    return Work(xla_flops=-calls)
