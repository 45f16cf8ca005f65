"""Twins of mixtures of experts."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from symcost.layers.kinds.activation import Softmax
from symcost.layers.kinds.linear import Linear
from symcost.layers.kinds.moe import MoE
from symcost.layers.twins.base import inner, number, twin

INIT = jax.nn.initializers.lecun_normal()


class Experts(nn.Module):
    """The matrices of all experts, and the work of those that are used."""

    layer: MoE

    @nn.compact
    def __call__(self, x: Any, gates: Any) -> Any:
        """The weighted sum of the experts' outputs."""
        layer, d = self.layer, x.shape[-1]
        up = self.param("up", INIT, (layer.E, d, layer.d_f))
        down = self.param("down", INIT, (layer.E, layer.d_f, d))
        if layer.k is None:
            hidden = inner(layer.activation, jnp.einsum("nqd,edf->nqef", x, up), "activation")
            each = jnp.einsum("nqef,efd->nqed", hidden, down)
        else:
            gates, picked = jax.lax.top_k(gates, number(layer.k))
            hidden = jnp.einsum("nqd,nqkdf->nqkf", x, jnp.take(up, picked, axis=0, mode="clip"))
            hidden = inner(layer.activation, hidden, "activation")
            each = jnp.einsum("nqkf,nqkfd->nqkd", hidden, jnp.take(down, picked, axis=0, mode="clip"))
        return jnp.einsum("nqe,nqed->nqd", gates, each)


@twin(MoE)
def moe(layer: MoE, x: Any) -> Any:
    """Router, experts, weighted sum; every token gathers the matrices of its own experts."""
    gates = inner(Softmax(), inner(Linear(layer.E, bias=False), x, "router"), "softmax")
    return Experts(layer, name="experts")(x, gates)
