"""A plan's collectives against those of a compiled program: by kind, on one device, to the byte."""

from __future__ import annotations

from collections.abc import Mapping

from symcost.agreement.check import Check
from symcost.costs.table import CostTable
from symcost.referee.compilers.compile import Placement
from symcost.referee.verdicts.verdict import Compiled


def placement(costs: CostTable, at: Mapping[str, int]) -> Placement:
    """Where the arrays of a table's plan go at a point: gradients lie as the parameters that they change."""
    assert costs.plan is not None
    return Placement(costs.plan.sizes(at), dict(costs.plan.shard), gradients=True)


def predicted(costs: CostTable, at: Mapping[str, int]) -> dict[str, int]:
    """Bytes on one device by kind of collective, at a point that has a value for every symbol."""
    found: dict[str, int] = {}
    point = {name: at[name] for name in costs.symbols if name in at}
    for (kind, _), size in costs.subs(**point).communication.items():
        found[kind] = found.get(kind, 0) + int(size)
    return found


def checks(made: Compiled, ours: Mapping[str, int]) -> list[Check]:
    """One comparison a kind; what a compiler's widening adds is named, and counted on our side too."""
    found = []
    for kind in dict.fromkeys((*ours, *made.collectives)):
        wider = {name: size for name, size in made.widened.items() if name.startswith(f"{kind} ")}
        found.append(
            Check(level=3, target=made.target, metric=f"{kind} bytes", ours=ours.get(kind, 0) + sum(wider.values()),
                  theirs=made.collectives.get(kind, 0), witness="the compiled program",
                  because="; ".join(f"{size:,} of {name}" for name, size in wider.items())))  # fmt: skip
    return found
