"""Twins of convolutions."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from symcost.layers.base import each
from symcost.layers.kinds.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    Convolution,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    DepthwiseConv2d,
)
from symcost.layers.sizes.windowed import sides
from symcost.layers.twins.base import twin

MODES = {"reflect": "reflect", "replicate": "edge", "constant": "constant"}


def paddings(layer: Any, x: Any) -> list[Any]:
    """Padding before and behind each spatial axis of an array."""
    places = x.shape[1:-1]
    k, s, d = (each(given, len(places), "", ValueError) for given in (layer.k, layer.s, layer.d))
    return [sides(layer.p, axis, size, k[axis], s[axis], d[axis]) for axis, size in enumerate(places)]


@twin(Conv1d, Conv2d, Conv3d)
def conv(layer: Any, x: Any) -> Any:
    """``nn.Conv``; fillings other than zeros are written before it."""
    return _conv(layer, x, layer.c_o, layer.g)


@twin(DepthwiseConv2d)
def depthwise(layer: DepthwiseConv2d, x: Any) -> Any:
    """``nn.Conv`` with as many groups as channels."""
    return _conv(layer, x, layer.m * x.shape[-1], x.shape[-1])


def _conv(layer: Convolution, x: Any, c_o: int, g: int) -> Any:
    pads = paddings(layer, x)
    if layer.fill != "zeros":
        value = {"constant_values": 0.0} if layer.fill == "constant" else {}
        x = jnp.pad(x, [(0, 0), *pads, (0, 0)], mode=MODES[layer.fill], **value)
        pads = [(0, 0)] * len(pads)
    rank = len(pads)
    return nn.Conv(
        c_o, kernel_size=each(layer.k, rank, "", ValueError), strides=each(layer.s, rank, "", ValueError), padding=pads,
        kernel_dilation=each(layer.d, rank, "", ValueError), feature_group_count=g, use_bias=layer.bias,
    )(x)  # fmt: skip


@twin(ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
def conv_transpose(layer: Any, x: Any) -> Any:
    """``nn.ConvTranspose``, whose padding is that of the convolution over the dilated input."""
    rank = x.ndim - 2
    k, s, p, more, d = (
        each(given, rank, "", ValueError) for given in (layer.k, layer.s, layer.p, layer.output_padding, layer.d)
    )
    reach = [d[axis] * (k[axis] - 1) - p[axis] for axis in range(rank)]
    return nn.ConvTranspose(
        layer.c_o, kernel_size=k, strides=s, padding=[(lo, lo + more[axis]) for axis, lo in enumerate(reach)],
        kernel_dilation=d, use_bias=layer.bias,
    )(x)  # fmt: skip
