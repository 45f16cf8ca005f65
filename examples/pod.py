"""Models that the chapter on pods and ``symcost plans`` cut over meshes."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

import symcost as sc

TYPES: dict[str, Any] = {"dtype": jnp.bfloat16, "param_dtype": jnp.bfloat16}


class Perceptron(nn.Module):
    """The feed-forward half of a transformer's block, its kernels in bfloat16."""

    d: int
    F: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        up = nn.Dense(self.F, use_bias=False, name="up", **TYPES)
        return nn.Dense(self.d, use_bias=False, name="down", **TYPES)(nn.gelu(up(x)))


def perceptron(d: int, F: int) -> nn.Module:
    """The perceptron of width ``d`` and ``F`` hidden features."""
    return Perceptron(d, F)


class NnxPerceptron(nnx.Module):
    """The same in nnx; its kernels say how they lie on a mesh with an axis ``model``."""

    def __init__(self, d: int, F: int) -> None:
        rngs, make = nnx.Rngs(0), nnx.initializers.lecun_normal()
        columns, rows = nnx.with_partitioning(make, (None, "model")), nnx.with_partitioning(make, ("model", None))
        self.up = nnx.Linear(d, F, use_bias=False, kernel_init=columns, rngs=rngs, **TYPES)
        self.down = nnx.Linear(F, d, use_bias=False, kernel_init=rows, rngs=rngs, **TYPES)

    def __call__(self, x: Any) -> Any:
        return self.down(jax.nn.gelu(self.up(x)))


class Experts(nn.Module):
    """A mixture of ``E`` experts on tokens that are sorted already: ``c`` for each expert, from every part of the batch."""

    F: int
    E: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        make, d = nn.initializers.normal(), x.shape[-1]
        up = self.param("up", make, (self.E, d, self.F), jnp.bfloat16)
        down = self.param("down", make, (self.E, self.F, d), jnp.bfloat16)
        at_home = jax.lax.with_sharding_constraint(x, jax.sharding.PartitionSpec("expert"))
        return jnp.einsum("ecf,efd->ecd", nn.relu(jnp.einsum("ecd,edf->ecf", at_home, up)), down)


def experts(F: int, E: int) -> nn.Module:
    """The mixture of experts."""
    return Experts(F, E)


class Decoder(nn.Module):
    """A block of LLaMA 3-70B: 64 heads of 128 that share 8 keys and values, and a gated feed-forward of 28,672."""

    @nn.compact
    def __call__(self, x: Any, _: Any) -> Any:
        d, shared, heads, width, F = 8192, 8, 8, 128, 28672

        def dense(features: Any, name: str, axis: Any = -1) -> Any:
            return nn.DenseGeneral(features, axis=axis, use_bias=False, name=name, **TYPES)

        y = nn.RMSNorm(name="before_attention", **TYPES)(x)
        q = dense((shared, heads, width), "q")(y)
        k, v = (dense((shared, width), name)(y) for name in "kv")
        weights = nn.softmax(jnp.einsum("bqghc,bkgc->bghqk", q, k))
        x = x + dense(d, "o", (-3, -2, -1))(jnp.einsum("bghqk,bkgc->bqghc", weights, v))
        y = nn.RMSNorm(name="before_feed_forward", **TYPES)(x)
        return x + dense(d, "down")(nn.silu(dense(F, "gate")(y)) * dense(F, "up")(y)), None


class Decoders(nn.Module):
    """``L`` of these blocks, in a loop."""

    L: int
    remat: bool = False

    @nn.compact
    def __call__(self, x: Any) -> Any:
        block = nn.remat(Decoder, prevent_cse=False) if self.remat else Decoder
        scanned = nn.scan(block, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        return scanned(name="layers")(x, None)[0]


def llama_70b(L: int, remat: bool = False) -> nn.Module:
    """The blocks of LLaMA 3-70B (arXiv:2407.21783, table 3), 80 of them there."""
    return Decoders(L, remat)


FSDP = {
    "inputs/0": ("data",), "**/q/kernel": (None, "data", "model"), "**/k/kernel": (None, "data", "model"),
    "**/v/kernel": (None, "data", "model"), "**/o/kernel": (None, "model", None, None, "data"),
    "**/gate/kernel": (None, "data", "model"), "**/up/kernel": (None, "data", "model"), "**/down/kernel": (None, "model", "data"),
}  # fmt: skip
"""Fully sharded data parallelism along ``data``, and tensors along ``model``: chapter "applied training" of the scaling book."""

SHARDED = {"inputs/0": ("data",), "**/up/kernel": (None, "model"), "**/down/kernel": ("model",)}
"""Data parallelism along ``data``, and the perceptron's tensors along ``model``."""


def main() -> None:
    """What one device of any mesh holds, computes and sends when the perceptron is trained."""
    costs = sc.trace(perceptron, "bfloat16[B,d]", plan=sc.Plan({"data": "X", "model": "Y"}, SHARDED), mode="train")
    print("parameters:", costs.per_device.params)
    print("MACs:", costs.per_device.macs)
    for (kind, axes), sent in costs.communication.items():
        print(f"{kind} along {' and '.join(axes)}: {sent} bytes")


if __name__ == "__main__":
    main()
