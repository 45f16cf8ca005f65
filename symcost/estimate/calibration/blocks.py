"""What is measured: blocks of layers over sizes, each by what two more of them add to a network that ends as networks do.

A kernel alone says little of the same kernel in a network: compilers fuse what stands beside it, and weights are no
longer in the cache. So one block and three, with a pool behind images, are compiled as they would be anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import GELU, ReLU, ReLU6
from symcost.layers.kinds.attention import Attention
from symcost.layers.kinds.combine import Residual, Sequential
from symcost.layers.kinds.conv import Conv2d, DepthwiseConv2d
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.norm import BatchNorm, LayerNorm
from symcost.layers.kinds.pool import GlobalAvgPool

CONVOLUTIONS = ((48, 64), (24, 128), (12, 256), (9, 256), (6, 512), (16, 64))
"""Places along a side and channels, kernel 3."""
POINTWISE = ((48, 32, 128), (24, 32, 192), (12, 96, 384), (6, 192, 768), (12, 256, 1024), (6, 512, 2048))
"""Places along a side, channels outside and inside; kernel 1."""
DEPTHWISE = ((48, 96, 3), (24, 192, 3), (12, 384, 5), (6, 768, 3))
"""Places along a side, channels, kernel."""
MLPS = ((48, 256), (128, 384), (320, 256), (96, 640), (400, 512), (16, 1024))
"""Tokens and width; four times as wide inside."""
ATTENTIONS = ((48, 256, 4), (160, 256, 4), (96, 640, 10), (400, 384, 6))
"""Tokens, width, heads."""
NORMS = ((160, 256), (400, 640))
"""Tokens and width."""
TIMES = (1, 3)
"""How often a block is repeated in the two networks that are compared."""


@dataclass(frozen=True)
class Block:
    """Layers that may follow themselves, and the input of the network around them."""

    name: str
    layers: tuple[Layer, ...]
    x: tuple[int, ...]

    def network(self, times: int) -> Layer:
        """The block a few times; images are pooled at the end."""
        end = (GlobalAvgPool(),) if len(self.x) == 4 else ()
        return Sequential(*self.layers * times, *end)


def blocks() -> Iterator[Block]:
    """Every block that is measured."""
    for side, c in CONVOLUTIONS:
        yield Block(
            f"convolution {side} x {side}, {c}", _normed(Conv2d(c_o=c, k=3, p=1, bias=False)), (1, c, side, side)
        )
    for side, c, inside in POINTWISE:
        pair = (*_normed(Conv2d(c_o=inside, k=1, bias=False)), *_normed(Conv2d(c_o=c, k=1, bias=False)))
        yield Block(f"pointwise {side} x {side}, {c} {inside}", pair, (1, c, side, side))
    for side, c, k in DEPTHWISE:
        layers = (DepthwiseConv2d(k=k, p=k // 2, bias=False), BatchNorm(), ReLU6())
        yield Block(f"depthwise {side} x {side}, {c}, kernel {k}", layers, (1, c, side, side))
    for tokens, d in MLPS:
        yield Block(f"mlp {tokens}, {d}", (Linear(4 * d), GELU("tanh"), Linear(d)), (1, tokens, d))
    for tokens, d, heads in ATTENTIONS:
        yield Block(f"attention {tokens}, {d}, {heads} heads", (Residual(Attention(heads)),), (1, tokens, d))
    for tokens, d in NORMS:
        yield Block(f"norm {tokens}, {d}", (LayerNorm(),), (1, tokens, d))


def _normed(convolution: Layer) -> tuple[Layer, ...]:
    return (convolution, BatchNorm(), ReLU())
