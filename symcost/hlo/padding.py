"""Products with padding, which XLA trims from a convolution's count and a compiler may bring back."""

from __future__ import annotations

from math import prod

from .ir import Module
from .rules import convolution
from .scopes import module_of, phase_of


def trimmed(module: Module) -> dict[tuple[str, str], int]:
    """FLOPs left out for padding, by module path and phase: 2 C_in/g C_out B (all taps - valid taps), computations once."""
    found: dict[tuple[str, str], int] = {}
    for home in module.computations.values():
        for i in home.instructions:
            if i.opcode != "convolution":
                continue
            left, right = (home.by_name[name].shape for name in i.operands)
            labels, out = i.dim_labels, i.shape.dims
            taps = prod(right.dims[labels.at("rhs", d)] * out[labels.at("out", d)] for d in range(len(i.window)))
            channels = left.dims[labels.at("lhs", "f")] // i.feature_group_count * out[labels.at("out", "f")]
            batch = left.dims[labels.at("lhs", "b")] // i.batch_group_count
            place = module_of(i.op_name) or "", phase_of(i.op_name)
            whole = 2 * channels * batch * taps
            found[place] = found.get(place, 0) + whole - convolution(i, left, right, i.shape)
    return found
