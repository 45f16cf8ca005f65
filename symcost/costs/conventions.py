"""Conventions under which others publish costs, as they follow from a network's rows.

- ``torchvision``: the ``_ops`` of its weights' metadata: MACs of convolutions and matrix products, attention included,
  printed as GFLOPS; parameters with bias and norm.
- ``fvcore``: one FLOP per MAC of convolutions and matrix products, and its estimates for norms and pooling
  (:data:`FVCORE`); activations and softmax cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from symcost.costs.cost import CONVENTIONS, Cost
from symcost.errors import SymcostError
from symcost.reading.numerals import short

FVCORE: Mapping[str, int] = {
    "batch_norm": 2, "layer_norm": 5, "group_norm": 5, "instance_norm": 5,
    "adaptive_avg_pool2d": 1, "global_avg_pool": 1,
}  # fmt: skip
"""FLOPs per element of the input that fvcore 0.1.5 adds beside products (``fvcore/nn/jit_handles.py``)."""


BY_NAME = ("layer", "input")
"""Sources of rows whose operations are whole layers."""


@dataclass(frozen=True)
class Published:
    """A published convention: FLOPs per MAC are 1, and per element of the input of some operations."""

    name: str
    source: str
    per_element: Mapping[str, int]

    def total(self, textbook: Cost, full: Cost, rows: Iterable[Any]) -> Cost:
        """The cost that its users print; ``rows`` are a table's.

        What is counted per element goes by the names of layers, so that rows of a traced program are an error.
        """
        rows = list(rows) if self.per_element else []
        if any(row.source not in BY_NAME for row in rows):
            raise SymcostError(
                f"{self.name} counts norms and pooling by name, and a traced program has only their operations: "
                f"ask for {', '.join((*CONVENTIONS, *(p.name for p in PUBLISHED.values() if not p.per_element)))}"
            )
        more = [
            prod(row.ins[0], start=row.times) * self.per_element[row.op] for row in rows if row.op in self.per_element
        ]
        flops = sum(more, start=textbook.macs)
        held = {"params": full.params, "frozen": full.frozen, "inactive": full.inactive}
        return Cost(**held, macs=textbook.macs, flops=flops, activations=textbook.activations)


PUBLISHED: Mapping[str, Published] = {
    entry.name: entry
    for entry in (
        Published("torchvision", "torchvision 0.29, models: weights' metadata", {}),
        Published("fvcore", "fvcore 0.1.5, FlopCountAnalysis", FVCORE),
    )
}
COUNTED = ("params", "frozen", "trainable", "inactive", "active_params", "macs", "flops", "activations")
"""What published conventions count: of anything else they say nothing."""
KNOWN = (*CONVENTIONS, *PUBLISHED)
"""All conventions by name."""


def check_convention(name: str) -> None:
    """Raise for a convention that nobody counts by."""
    if name not in CONVENTIONS:
        published(name)


def published(name: str) -> Published:
    """The published convention of that name."""
    if not isinstance(name, str) or name not in PUBLISHED:
        raise SymcostError(f"unknown convention {short(name)}: use {', '.join(KNOWN)}")
    return PUBLISHED[name]
