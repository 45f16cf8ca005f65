"""The third witness: a network written as layers, its Flax twin's trace, and the compilers' count of the twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.agreement.check import Check
from symcost.costs.cost import CONVENTIONS
from symcost.costs.cost import METRICS as EVERY
from symcost.costs.parts import Network
from symcost.costs.table import CostTable
from symcost.formulas.symbols import evaluate
from symcost.referee.compilers.source import check_all

Twin = tuple[Any, tuple[Any, ...], CostTable]
"""A Flax module, its input specs, and the table of the same layers."""
APART = ("frozen", "inactive", "activations", "bytes_read", "bytes_written")
"""Shares of parameters, which are asked for, and what layers count of a whole layer, a trace of each of its operations."""
METRICS = tuple(metric for metric in EVERY if metric not in APART)
"""What both roads count alike."""
TWIN = "the trace of its Flax twin"


def twin(table: CostTable, network: Network, specs: tuple[Any, ...], at: Mapping[str, int]) -> Twin:
    """The Flax module of the same layers, its input spec, and the table, all at a point.

    The input is ``float32`` with channels last, or ``int32`` for a table's indices, unless ``specs`` gives it.
    """
    from symcost.layers.base import symbols_of
    from symcost.layers.twins.base import build

    check_all(table.symbols, at)
    costs = table.subs(**at) if at else table
    own = symbols_of(network.net)
    module = build(network.net, **{name: value for name, value in at.items() if name in own})
    if not specs:
        shape = [evaluate(size, at) for size in network.twin_input]
        specs = (f"{'int32' if network.net.reads_tokens else 'float32'}[{','.join(map(str, shape))}]",)
    return module, specs, costs


def checks(layers: CostTable, traced: CostTable) -> list[Check]:
    """Every metric under every convention: the layers' formula at the point against the trace."""
    compared = []
    for convention in CONVENTIONS:
        ours, theirs = layers.total(convention), traced.total(convention)
        for metric in METRICS:
            left, right = getattr(ours, metric), getattr(theirs, metric)
            if left or right:
                compared.append(Check(level=1, target="layers", metric=f"{metric} ({convention})", ours=left, theirs=right,
                                  witness=TWIN))  # fmt: skip
    return compared
