"""Programs whose plans are compared with what compilers make of them: mixtures of experts with a router of their own."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.sharding import PartitionSpec as P

CHOSEN = 2
"""Experts that take a token."""


class Routed(nn.Module):
    """Every expert computes all tokens; of the results those of the chosen ones are added, by their weights."""

    experts: int
    F: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        weights = nn.softmax(nn.Dense(self.experts, use_bias=False, name="router")(x))
        largest, chosen = jax.lax.top_k(weights, CHOSEN)
        taken = (jax.nn.one_hot(chosen, self.experts) * largest[..., None]).sum(2)
        made, d = nn.initializers.lecun_normal(), x.shape[-1]
        up = self.param("up", made, (self.experts, d, self.F))
        down = self.param("down", made, (self.experts, self.F, d))
        hidden = nn.relu(jnp.einsum("bsd,edf->ebsf", x, up))
        return jnp.einsum("ebsd,bse->bsd", jnp.einsum("ebsf,efd->ebsd", hidden, down), taken)


class Dispatched(nn.Module):
    """Tokens are sent to the experts that take them, a quarter of them at most to each, and back."""

    experts: int
    F: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        weights = nn.softmax(nn.Dense(self.experts, use_bias=False, name="router")(x))
        _, chosen = jax.lax.top_k(weights, CHOSEN)
        taken = jax.nn.one_hot(chosen, self.experts).sum(2)
        place = (jnp.cumsum(taken, 1) * taken).astype(jnp.int32) - 1
        sent = jax.nn.one_hot(place, x.shape[1] // 4) * taken[..., None]
        inside = jax.lax.with_sharding_constraint(jnp.einsum("bsd,bsec->ebcd", x, sent), P("expert"))
        made, d = nn.initializers.lecun_normal(), x.shape[-1]
        up = self.param("up", made, (self.experts, d, self.F))
        down = self.param("down", made, (self.experts, self.F, d))
        hidden = nn.relu(jnp.einsum("ebcd,edf->ebcf", inside, up))
        return jnp.einsum("ebcd,bsec->bsd", jnp.einsum("ebcf,efd->ebcd", hidden, down), sent * weights[..., None])
