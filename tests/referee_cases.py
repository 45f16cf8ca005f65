"""The models on which our count, the lowered program and the compilers' must be the same number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import flaxmodels
import jax
import jax.numpy as jnp
from flax import nnx
from jax.experimental import pallas

import symcost as sc
from examples.scan_or_unrolled import Scanned
from symcost.models.catalog import REFERENCES


@dataclass(frozen=True)
class Referee:
    """A model with its input specs at a point; ``options`` go to ``verify`` as they are."""

    name: str
    model: Callable[..., Any]
    specs: tuple[str, ...]
    at: Mapping[str, int]
    options: Mapping[str, Any] = field(default_factory=dict)
    heavy: bool = False
    """Whether its compilation takes long: once is enough where the suite runs in several environments."""

    def __str__(self) -> str:
        return self.name

    def verify(self, *targets: str, **options: Any) -> sc.Verdict:
        """The verdict on this model."""
        return sc.verify(self.model, *self.specs, at=self.at, targets=targets, **self.options, **options)


class MLP(nn.Module):
    """Dense layers in a Python loop."""

    d: int
    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(self.L):
            x = nn.relu(nn.Dense(self.d)(x))
        return nn.Dense(10)(x)


class Block(nn.Module):
    """A pre-norm transformer block with either GELU, causal or not."""

    d: int
    exact: bool = False
    causal: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, _: None = None) -> tuple[jax.Array, None]:
        mask = nn.make_causal_mask(jnp.zeros(x.shape[:2])) if self.causal else None
        x = x + nn.MultiHeadDotProductAttention(num_heads=4)(nn.LayerNorm()(x), mask=mask)
        h = nn.gelu(nn.Dense(4 * self.d)(nn.LayerNorm()(x)), approximate=not self.exact)
        return x + nn.Dense(self.d)(h), None


class Recurrent(nn.Module):
    """An LSTM over a sequence."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.RNN(nn.LSTMCell(self.d))(x)


class Encoder(nnx.Module):
    """A transformer encoder in nnx."""

    def __init__(self, d: int, L: int, *, rngs: nnx.Rngs) -> None:
        self.attention = nnx.List([nnx.MultiHeadAttention(4, d, decode=False, rngs=rngs) for _ in range(L)])
        self.norm = nnx.List([nnx.LayerNorm(d, rngs=rngs) for _ in range(L)])
        self.up = nnx.List([nnx.Linear(d, 4 * d, rngs=rngs) for _ in range(L)])
        self.down = nnx.List([nnx.Linear(4 * d, d, rngs=rngs) for _ in range(L)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for attention, norm, up, down in zip(self.attention, self.norm, self.up, self.down, strict=True):
            x = x + attention(norm(x))
            x = x + down(nnx.gelu(up(x)))
        return x


class Bottlenecks(nn.Module):
    """Five bottlenecks of a ResNet as its authors train it: batch norm in training mode."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        def conv(x: jax.Array, c: int, k: int, s: int = 1) -> jax.Array:
            return nn.BatchNorm(use_running_average=False)(nn.Conv(c, (k, k), (s, s), use_bias=False)(x))

        x = nn.relu(conv(x, 64, 7, 2))
        x = nn.max_pool(x, (3, 3), (2, 2), "SAME")
        for stage, blocks in enumerate((1, 2, 1, 1)):
            for index in range(blocks):
                c, s = 64 << stage, 2 if stage and not index else 1
                y = conv(nn.relu(conv(nn.relu(conv(x, c, 1)), c, 3, s)), 4 * c, 1)
                x = nn.relu(y + (x if x.shape == y.shape else conv(x, 4 * c, 1, s)))
        return nn.Dense(1000)(x.mean((1, 2)))


def watched(x: jax.Array) -> jax.Array:
    """A product, looked at by the host on the way."""
    jax.debug.print("{}", x.sum())
    return x @ x.T


def doubled(x: jax.Array) -> jax.Array:
    """A kernel for TPUs that states its cost."""

    def kernel(source: Any, out: Any) -> None:
        out[...] = source[...] * 2.0

    cost = pallas.CostEstimate(flops=128 * 128, transcendentals=0, bytes_accessed=2 * 4 * 128 * 128)
    return pallas.pallas_call(kernel, out_shape=jax.ShapeDtypeStruct(x.shape, x.dtype), cost_estimate=cost)(x) + 1.0


def network(name: str, **sizes: Any) -> Callable[[], nn.Module]:
    """A reference network as a factory without parameters."""
    return lambda: sc.build(REFERENCES[name](**sizes).net)


def resnet50() -> nn.Module:
    """ResNet-50 of the flaxmodels package."""
    return flaxmodels.ResNet50(output="logits", pretrained=None)


IMAGE = ("float32[n,224,224,3]",)
TOKENS = ("float32[n,N,d]",)
CASES = [
    Referee("mlp", MLP, ("float32[n,784]",), dict(n=8, d=512, L=3)),
    Referee("alexnet", network("alexnet"), IMAGE, dict(n=1), heavy=True),
    Referee("alexnet-torchvision", network("alexnet_torchvision"), IMAGE, dict(n=1), heavy=True),
    Referee("vgg16", network("vgg16"), IMAGE, dict(n=1), heavy=True),
    Referee("resnet50", resnet50, IMAGE, dict(n=1), dict(call={"train": False}), heavy=True),
    Referee("bottlenecks-training", Bottlenecks, ("float32[n,32,32,3]",), dict(n=2), dict(mode="train"), heavy=True),
    Referee("mobilenet-v2", network("mobilenet_v2"), IMAGE, dict(n=1), heavy=True),
    Referee("block", lambda d: Block(d), TOKENS, dict(n=1, N=128, d=256)),
    Referee("block-exact-gelu", lambda d: Block(d, exact=True), TOKENS, dict(n=1, N=128, d=256)),
    Referee("block-causal", lambda d: Block(d, causal=True), TOKENS, dict(n=1, N=128, d=256), heavy=True),
    Referee("vit-b16", network("vit"), IMAGE, dict(n=1), heavy=True),
    Referee("lstm", Recurrent, ("float32[n,N,c]",), dict(n=4, N=12, c=16, d=64)),
    Referee("scan", Scanned, TOKENS, dict(n=2, N=64, d=128, L=8)),
    Referee("scan-gradient", Scanned, TOKENS, dict(n=2, N=64, d=128, L=8), dict(mode="train"), heavy=True),
    Referee("nnx-transformer", Encoder, TOKENS, dict(n=2, N=64, d=128, L=2), heavy=True),
    Referee("moe", lambda: sc.build(sc.MoE(4, 16, k=2)), ("float32[n,N,8]",), dict(n=2, N=4)),
]
WATCHED = Referee("debug-print", watched, ("float32[n,m]",), dict(n=8, m=6), dict(function=True))
KERNEL = Referee("kernel", doubled, ("float32[128,128]",), {}, dict(function=True))
