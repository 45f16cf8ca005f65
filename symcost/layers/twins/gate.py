"""Twins of gates."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from symcost.layers.kinds.conv import Conv2d
from symcost.layers.kinds.gate import GLU, GatedMLP, SqueezeExcitation
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.pool import GlobalAvgPool
from symcost.layers.twins.base import inner, twin


@twin(SqueezeExcitation)
def squeeze_excitation(layer: SqueezeExcitation, x: Any) -> Any:
    """Means, two convolutions, one factor per channel."""
    y = inner(GlobalAvgPool(keep=True), x, "squeeze")
    y = inner(Conv2d(c_o=layer.c_r, k=1), y, "reduce")
    y = inner(layer.activation, y, "activation")
    y = inner(Conv2d(c_o=x.shape[-1], k=1), y, "expand")
    return x * inner(layer.gate, y, "gate")


@twin(GLU)
def glu(layer: GLU, x: Any) -> Any:
    """Two halves, the second through the activation."""
    first, second = jnp.split(x, 2, axis=-1)
    return first * inner(layer.activation, second, "activation")


@twin(GatedMLP)
def gated_mlp(layer: GatedMLP, x: Any) -> Any:
    """Two linear layers, their product, a third."""
    hidden = inner(Linear(layer.d_f, bias=layer.bias), x, "gate")
    hidden = inner(layer.activation, hidden, "activation")
    up = inner(Linear(layer.d_f, bias=layer.bias), x, "up")
    return inner(Linear(x.shape[-1], bias=layer.bias), hidden * up, "down")
