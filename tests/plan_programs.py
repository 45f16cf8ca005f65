"""Programs whose plans are compared with what compilers make of them: experts behind a router, and steps that share their state."""

from __future__ import annotations

from collections.abc import Callable
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


def _loss(kernels: Any, x: Any) -> Any:
    up, down = kernels
    return (nn.gelu(x @ up) @ down).sum()


def _moved(kernel: Any, gradient: Any, moment: Any, square: Any) -> tuple[Any, Any, Any]:
    """A kernel after a step of Adam without its corrections, and the moments."""
    moment, square = 0.9 * moment + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
    return kernel - 0.001 * moment / (jnp.sqrt(square) + 1e-8), moment, square


def stepped(stage: int) -> Callable[..., Any]:
    """A step of ZeRO 1 or 2: each device moves its part of the kernels; gradients are whole in stage 1, parts in stage 2."""

    def step(x: Any, kernels: Any, moments: Any, squares: Any) -> Any:
        gradients = jax.grad(_loss)(kernels, x)
        if stage == 1:
            gradients = [jax.lax.with_sharding_constraint(each, P()) for each in gradients]
        moved = []
        for each in zip(kernels, gradients, moments, squares, strict=True):
            parts = _moved(*(jax.lax.with_sharding_constraint(part, P("data")) for part in each))
            moved.append((jax.lax.with_sharding_constraint(parts[0], P()), *parts[1:]))
        return moved

    return step


def stepped_by_hand(stage: int) -> Callable[..., Any]:
    """The same as every device runs it."""

    def device(x: Any, kernels: Any, moments: Any, squares: Any) -> Any:
        place = jax.lax.axis_index("data")
        moved = []
        for kernel, gradient, moment, square in zip(
            kernels, jax.grad(_loss)(kernels, x), moments, squares, strict=True
        ):
            rows = moment.shape[0]
            if stage == 1:
                whole = jax.lax.psum(gradient, "data")
                part = jax.lax.dynamic_slice_in_dim(whole, place * rows, rows)
            else:
                part = jax.lax.psum_scatter(gradient, "data", tiled=True)
            own, *rest = _moved(jax.lax.dynamic_slice_in_dim(kernel, place * rows, rows), part, moment, square)
            moved.append((jax.lax.all_gather(own, "data", tiled=True), *rest))
        return moved

    cut = P("data")
    return lambda *arrays: jax.shard_map(
        device, in_specs=(cut, P(), cut, cut), out_specs=[(P(), cut, cut)] * 2, check_vma=False
    )(*arrays)
