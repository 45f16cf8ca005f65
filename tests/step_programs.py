"""Training steps as engineers write them: a decoder in a loop, a step of nnx and optax, experts and a pipeline by hand."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import lax
from jax.sharding import PartitionSpec as P


class DecoderBlock(nn.Module):
    """Rotary, grouped attention behind a mask, and a gated feed-forward."""

    d: int
    groups: int
    heads: int
    width: int
    F: int

    @nn.compact
    def __call__(self, x: Any, _: Any) -> Any:
        def dense(features: Any, name: str, axis: Any = -1) -> Any:
            return nn.DenseGeneral(features, axis=axis, use_bias=False, name=name)

        y, (B, T, _) = nn.RMSNorm(name="first")(x), x.shape
        q, k = rotated(dense((self.groups * self.heads, self.width), "q")(y)), dense((self.groups, self.width), "k")(y)
        q, v = q.reshape(B, T, self.groups, self.heads, self.width), dense((self.groups, self.width), "v")(y)
        scores = jnp.einsum("btghc,bsgc->bghts", q, rotated(k))
        weights = nn.softmax(jnp.where(jnp.tril(jnp.ones((T, T), bool)), scores, jnp.finfo(x.dtype).min))
        mixed = jnp.einsum("bghts,bsgc->btghc", weights, v).reshape(B, T, self.groups * self.heads, self.width)
        x = x + dense(self.d, "o", (-2, -1))(mixed)
        y = nn.RMSNorm(name="second")(x)
        return x + dense(self.d, "down")(nn.silu(dense(self.F, "gate")(y)) * dense(self.F, "up")(y)), None


def rotated(x: Any) -> Any:
    """Pairs of features turned by their places."""
    places, width = x.shape[1], x.shape[-1]
    speed = 10000.0 ** (-jnp.arange(0, width, 2) / width)
    turn = (jnp.arange(places)[:, None] * speed)[None, :, None]
    left, right = jnp.split(x, 2, -1)
    return jnp.concatenate(
        [left * jnp.cos(turn) - right * jnp.sin(turn), right * jnp.cos(turn) + left * jnp.sin(turn)], -1
    )


class Decoder(nn.Module):
    """Layers in a loop between an embedding and a vocabulary, and the loss of the next tokens."""

    d: int
    F: int
    L: int
    V: int

    @nn.compact
    def __call__(self, tokens: Any, labels: Any) -> Any:
        x = nn.Embed(self.V, self.d, name="embed")(tokens)
        layers = nn.scan(DecoderBlock, variable_axes={"params": 0}, split_rngs={"params": True}, length=self.L)
        x = nn.RMSNorm(name="last")(layers(self.d, 8, 2, 16, self.F, name="layers")(x, None)[0])
        logits = nn.Dense(self.V, use_bias=False, name="vocabulary")(x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


DECODER = {
    "inputs/*": ("data",), "**/embedding": ("model", "data"), "**/vocabulary/kernel": ("data", "model"),
    **{f"**/{name}/kernel": (None, "data", "model") for name in ("q", "k", "v", "gate", "up")},
    "**/o/kernel": (None, "model", None, "data"), "**/down/kernel": (None, "model", "data"),
}  # fmt: skip
"""Fully sharded along data, tensors and the vocabulary along model."""


class Tied(nn.Module):
    """An embedding that is the output too, cut by tokens of the vocabulary."""

    V: int
    d: int

    @nn.compact
    def __call__(self, tokens: Any, labels: Any) -> Any:
        table = nn.Embed(self.V, self.d, name="embed")
        x = nn.Dense(self.d, use_bias=False, name="mixed")(table(tokens))
        return optax.softmax_cross_entropy_with_integer_labels(table.attend(x), labels).mean()


class Feeding(nnx.Module):
    """A feed-forward block in nnx."""

    def __init__(self, d: int, F: int) -> None:
        rngs = nnx.Rngs(0)
        self.norm = nnx.LayerNorm(d, rngs=rngs)
        self.up, self.down = nnx.Linear(d, F, rngs=rngs), nnx.Linear(F, d, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return x + self.down(jax.nn.gelu(self.up(self.norm(x))))


def trained_by_optax(d: int, F: int) -> tuple[Any, Any, Any]:
    """A step of AdamW on the block, and what it takes: parameters and the state of the optimizer, of which no array is made."""
    graph, params = nnx.split(nnx.eval_shape(lambda: Feeding(d, F)))
    adamw = optax.adamw(1e-3)

    def step(params: Any, state: Any, x: Any, y: Any) -> Any:
        def loss(params: Any) -> Any:
            return ((nnx.merge(graph, params)(x) - y) ** 2).mean()

        value, gradients = jax.value_and_grad(loss)(params)
        updates, state = adamw.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, value

    return step, params, jax.eval_shape(adamw.init, params)


def sent_to_experts(x: Any, router: Any, up: Any, down: Any) -> Any:
    """Each device sends its tokens to the expert of each, a quarter of them at most to one, and gets them back."""

    def device(x: Any, router: Any, up: Any, down: Any) -> Any:
        weight, chosen = lax.top_k(nn.softmax(x @ router), 1)
        taken = jax.nn.one_hot(chosen[:, 0], router.shape[1])
        place = (jnp.cumsum(taken, 0) * taken).astype(jnp.int32) - 1
        sent = jax.nn.one_hot(place, x.shape[0] // 4) * taken[..., None]
        inside = lax.all_to_all(jnp.einsum("sd,sec->ecd", x, sent), "expert", 0, 1, tiled=True)
        hidden = nn.relu(jnp.einsum("ecd,edf->ecf", inside, up))
        back = lax.all_to_all(jnp.einsum("ecf,efd->ecd", hidden, down), "expert", 1, 0, tiled=True)
        return jnp.einsum("ecd,sec->sd", back, sent) * weight

    cut = P("expert")
    return jax.shard_map(device, in_specs=(cut, P(), cut, cut), out_specs=cut)(x, router, up, down)


def experts_trained(*arrays: Any) -> Any:
    """The loss, and the gradients of the router and the experts."""
    return jax.value_and_grad(lambda *given: (sent_to_experts(*given) ** 2).mean(), argnums=(1, 2, 3))(*arrays)


def pipelined(x: Any, kernels: Any) -> Any:
    """Microbatches go from stage to stage, each of which has its share of the layers."""

    def device(x: Any, kernels: Any) -> Any:
        stage, stages, m = lax.axis_index("stage"), lax.axis_size("stage"), x.shape[0]
        around = [(i, (i + 1) % stages) for i in range(stages)]

        def tick(carry: Any, t: Any) -> Any:
            arrived, out = carry
            given = jnp.where(stage == 0, lax.dynamic_index_in_dim(x, jnp.minimum(t, m - 1), 0, False), arrived)
            made, _ = lax.scan(lambda h, kernel: (nn.relu(h @ kernel), None), given, kernels)
            out = lax.dynamic_update_index_in_dim(out, made, jnp.maximum(t - stages + 1, 0), 0)
            return (lax.ppermute(made, "stage", around), out), None

        start = lax.pcast((jnp.zeros_like(x[0]), jnp.zeros_like(x)), "stage", to="varying")
        return lax.scan(tick, start, jnp.arange(m + stages - 1))[0][1][None]

    return jax.shard_map(device, in_specs=(P(), P("stage")), out_specs=P("stage"))(x, kernels)[-1]
