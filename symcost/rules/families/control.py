"""Control flow: what a loop costs beside its body."""

from __future__ import annotations

from symcost.rules.base import Op, Work, rule


@rule("scan")
def scan(op: Op) -> Work:
    """Counter increment and comparison per trip; two more index operations per trip where slices are taken in reverse.

    The body reads its part of what is scanned, and writes its part of what is stacked, in its own operations.
    """
    (reverse,) = op.facts.static
    return Work(int_ops=4 if reverse else 2, moves=False)
