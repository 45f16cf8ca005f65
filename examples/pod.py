"""Models that the chapter on pods and ``symcost plans`` cut over meshes."""

from __future__ import annotations

from typing import Any

import flax.linen as nn


class Perceptron(nn.Module):
    """The feed-forward half of a transformer's block, its kernels in bfloat16."""

    d: int
    F: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        types: dict[str, Any] = dict(use_bias=False, dtype="bfloat16", param_dtype="bfloat16")
        return nn.Dense(self.d, name="down", **types)(nn.gelu(nn.Dense(self.F, name="up", **types)(x)))


def perceptron(d: int, F: int) -> nn.Module:
    """The perceptron of width ``d`` and ``F`` hidden features."""
    return Perceptron(d, F)
