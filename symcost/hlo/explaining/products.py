"""Products of a program by module: how much padding XLA leaves out of their count, and how many results they have."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symcost.hlo.counting.rules import PRODUCTS, convolution
from symcost.hlo.reading.ir import Computation, Instruction, Module
from symcost.hlo.reading.scopes import module_of, phase_of


@dataclass(frozen=True)
class Products:
    """Of one module: FLOPs with padding that are not counted, and elements of results."""

    trimmed: int = 0
    results: int = 0

    def __add__(self, other: Products) -> Products:
        return Products(self.trimmed + other.trimmed, self.results + other.results)


def products(module: Module) -> dict[tuple[str, str], Products]:
    """Products by module path and phase, every computation once.

    Padding of a convolution: 2 C_in/g C_out B (all taps - taps on the input).
    """
    by_place: dict[tuple[str, str], Products] = {}
    for home in module.computations.values():
        for i in home.instructions:
            if i.opcode in PRODUCTS and i.opcode != "custom-call":
                place = module_of(i.op_name) or "", phase_of(i.op_name)
                trimmed = _trimmed(i, home) if i.opcode == "convolution" else 0
                by_place[place] = by_place.get(place, Products()) + Products(trimmed, i.shape.first().elements)
    return by_place


def _trimmed(i: Instruction, home: Computation) -> int:
    left, right = (home.by_name[name].shape for name in i.operands)
    labels, out = i.dim_labels, i.shape.dims
    taps = prod(right.dims[labels.at("rhs", d)] * out[labels.at("out", d)] for d in range(len(i.window)))
    channels = left.dims[labels.at("lhs", "f")] // i.feature_group_count * out[labels.at("out", "f")]
    batch = left.dims[labels.at("lhs", "b")] // i.batch_group_count
    return 2 * channels * batch * taps - convolution(i, left, right, i.shape)
