"""Random flax models from a small description: the same layers, built in linen and in nnx, sizes in symbols.

A :class:`Network` is data that prints as the Python that makes it, so that a failing example can be pasted.
Sizes are pairs: ``(a, b)`` stands for ``a d + b``. What hypothesis draws is in
:mod:`test_trace_properties`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

Size = tuple[int, int]
Values = dict[str, int]


@dataclass(frozen=True, repr=False)
class Layer:
    """One layer: its kind, its options, and the chains of layers inside it."""

    kind: str
    options: tuple[tuple[str, Any], ...] = ()
    inner: tuple[tuple[Layer, ...], ...] = ()

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options)
        chains = "".join(f", {list(chain)!r}" for chain in self.inner)
        return f"layer({self.kind!r}{chains}{options})"


def layer(kind: str, *inner: Any, **options: Any) -> Layer:
    """A layer with chains inside and options."""
    return Layer(kind, tuple(options.items()), tuple(tuple(chain) for chain in inner))


@dataclass(frozen=True, repr=False)
class Network:
    """A chain of layers after an input: ``free`` are the factory's symbols, ``fixed`` the values of the others."""

    api: str
    spec: str
    layers: tuple[Layer, ...]
    free: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()

    def __repr__(self) -> str:
        return (
            f"network({self.api!r}, {self.spec!r}, {list(self.layers)!r}, free={self.free!r}, **{dict(self.fixed)!r})"
        )

    @property
    def factory(self) -> Callable[..., Any]:
        """A function of the free symbols that makes the module."""

        def make(**given: int) -> Any:
            return self.module({**dict(self.fixed), **given})

        kind = inspect.Parameter.KEYWORD_ONLY
        make.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.free])  # type: ignore[attr-defined]
        return make

    def module(self, values: Values) -> Any:
        """The module at numbers."""
        if self.api == "linen":
            return LinenChain(self.layers, tuple(values.items()))
        last = self.spec.rstrip("]").rsplit(",", 1)[-1].strip()
        channels = int(last) if last.isdigit() else values.get(last, 0)
        return NnxChain(self.layers, channels, values, nnx.Rngs(0))

    def parameters(self, values: Values, spec: Any) -> int:
        """Number of parameters, asked of flax and not of symcost."""
        module = nnx.eval_shape(lambda: self.factory(**values)) if self.api == "nnx" else self.factory(**values)
        if self.api == "nnx":
            tree = nnx.state(module, nnx.Param)
        else:
            keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
            tree = jax.eval_shape(module.init, keys, spec).get("params", {})
        return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


def network(api: str, spec: str, layers: Any, free: tuple[str, ...] = (), **fixed: int) -> Network:
    """A network, as its ``repr`` writes it."""
    return Network(api, spec, tuple(layers), tuple(free), tuple(fixed.items()))


# -- layers that are functions -------------------------------------------------------------------------------------
ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": nn.relu, "relu6": nn.relu6, "gelu_tanh": nn.gelu, "gelu_erf": partial(nn.gelu, approximate=False),
    "silu": nn.silu, "softmax": nn.softmax, "log_softmax": nn.log_softmax, "hard_swish": nn.hard_swish,
    "hard_sigmoid": nn.hard_sigmoid, "sigmoid": nn.sigmoid, "tanh": nn.tanh, "elu": nn.elu, "selu": nn.selu,
    "leaky_relu": nn.leaky_relu, "softplus": nn.softplus, "celu": nn.celu, "hard_tanh": nn.hard_tanh,
    "soft_sign": nn.soft_sign, "mish": lambda x: x * jnp.tanh(nn.softplus(x)),
}  # fmt: skip


def _pool(x: jax.Array, op: str, window: Any, strides: Any, padding: Any, count_include_pad: bool = True) -> jax.Array:
    if op == "max":
        return nn.max_pool(x, window, strides, padding)
    return nn.avg_pool(x, window, strides, padding, count_include_pad)


def _resize(x: jax.Array, times: int, method: str) -> jax.Array:
    return jax.image.resize(x, (x.shape[0], *(times * s for s in x.shape[1:-1]), x.shape[-1]), method)


PLAIN: dict[str, Callable[..., jax.Array]] = {
    "activation": lambda x, name: ACTIVATIONS[name](x),
    "pool": _pool,
    "resize": _resize,
    "tokens": lambda x: x.reshape(x.shape[0], -1, x.shape[-1]),
    "mean": lambda x: x.mean(tuple(range(1, x.ndim - 1))),
    "max": lambda x: x.max(tuple(range(1, x.ndim - 1))),
    "first": lambda x: x[:, 0],
    "normalise": lambda x: x / jnp.sqrt(jnp.sum(x * x, -1, keepdims=True) + 1e-6),
    "flatten": lambda x: x.reshape(x.shape[0], -1),
}
COMBINE: dict[str, Callable[..., jax.Array]] = {
    "residual": lambda x, branch: x + branch(x),
    "concat": lambda x, branch: jnp.concatenate([x, branch(x)], -1),
    "add": lambda x, left, right: left(x) + right(x),
    "gate": lambda x, branch: x * nn.sigmoid(branch(x.mean(tuple(range(1, x.ndim - 1)), keepdims=True))),
    "glu": lambda x, left, right: nn.silu(left(x)) * right(x),
}


# -- sizes ---------------------------------------------------------------------------------------------------------
def number(size: Any, values: Values, channels: int) -> Any:
    """A size in numbers: ``a d + b``, a symbol's value, the channels that come in, or a share of them."""
    if size == "all":
        return channels
    if isinstance(size, str):
        return values[size]
    if isinstance(size, tuple) and size[0] == "share":
        return max(1, channels // size[1])
    if isinstance(size, tuple):
        return size[0] * values.get("d", 0) + size[1]
    return size


def options_of(what: Layer, values: Values, channels: int) -> dict[str, Any]:
    """Options with sizes in numbers."""
    sizes = ("features", "groups", "heads", "vocabulary", "hidden", "positions")
    return {name: number(v, values, channels) if name in sizes else v for name, v in what.options}


# -- linen ---------------------------------------------------------------------------------------------------------
def _linen_attention(heads: int, hidden: int, masked: bool, dropout: float) -> Callable[[jax.Array], jax.Array]:
    module = nn.MultiHeadDotProductAttention(
        heads, qkv_features=hidden, dropout_rate=dropout, deterministic=not dropout
    )

    def attend(x: jax.Array) -> jax.Array:
        return module(x, mask=nn.make_causal_mask(x[..., 0]) if masked else None)

    return attend


def _linen_positions(x: jax.Array) -> Callable[[jax.Array], jax.Array]:
    table = nn.Embed(x.shape[1], x.shape[2])
    return lambda x: x + table(jnp.arange(x.shape[1]))


LINEN: dict[str, Callable[..., Any]] = {
    "conv": lambda c, features, kernel, strides, dilation, groups, padding, bias: nn.Conv(
        features, kernel, strides, padding, 1, dilation, feature_group_count=groups, use_bias=bias),
    "conv_transpose": lambda c, features, kernel, strides, padding: nn.ConvTranspose(features, kernel, strides, padding),
    "dense": lambda c, features, bias=True: nn.Dense(features, use_bias=bias),
    "batch_norm": lambda c, running: nn.BatchNorm(use_running_average=running),
    "layer_norm": lambda c, scale=True: nn.LayerNorm(use_scale=scale, use_bias=scale),
    "rms_norm": lambda c: nn.RMSNorm(),
    "group_norm": lambda c, groups: nn.GroupNorm(num_groups=groups),
    "instance_norm": lambda c: nn.InstanceNorm(),
    "dropout": lambda c, rate, active: nn.Dropout(rate, deterministic=not active),
    "attention": lambda c, **options: _linen_attention(**options),
    "embed": lambda c, vocabulary, features: nn.Embed(vocabulary, features),
    "rnn": lambda c, cell, features: nn.RNN(getattr(nn, cell)(features)),
}  # fmt: skip


class LinenChain(nn.Module):
    """Layers one after the other, in linen."""

    layers: tuple[Layer, ...]
    values: tuple[tuple[str, int], ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply the layers."""
        for what in self.layers:
            x = self._apply(what, x)
        return x

    def _apply(self, what: Layer, x: jax.Array) -> jax.Array:
        options = options_of(what, dict(self.values), x.shape[-1])
        if what.kind in PLAIN:
            return PLAIN[what.kind](x, **options)
        if what.kind in COMBINE:
            return COMBINE[what.kind](x, *(LinenChain(chain, self.values) for chain in what.inner))
        if what.kind == "positions":
            return _linen_positions(x)(x)
        if what.kind != "repeat":
            return LINEN[what.kind](x.shape[-1], **options)(x)
        (chain,), how, times = what.inner, options["how"], dict(self.values)["L"]
        if how in ("scan", "remat_scan"):
            body = nn.remat(LinenStep, prevent_cse=False) if how == "remat_scan" else LinenStep
            looped = nn.scan(body, variable_axes={"params": 0, "batch_stats": 0},
                             split_rngs={"params": True, "dropout": True}, length=times)  # fmt: skip
            return looped(chain, self.values)(x, None)[0]
        block = nn.remat(LinenChain) if how == "remat" else LinenChain
        for _ in range(times):
            x = block(chain, self.values)(x)
        return x


class LinenStep(nn.Module):
    """A chain as the body of a scan."""

    layers: tuple[Layer, ...]
    values: tuple[tuple[str, int], ...]

    @nn.compact
    def __call__(self, x: jax.Array, _: None) -> tuple[jax.Array, None]:
        """One trip."""
        return LinenChain(self.layers, self.values)(x), None


# -- nnx -----------------------------------------------------------------------------------------------------------
class NnxAttention(nnx.Module):
    """Self-attention, causal or not."""

    def __init__(self, c: int, heads: int, hidden: int, masked: bool, dropout: float, rngs: nnx.Rngs) -> None:
        self.attend = nnx.MultiHeadAttention(heads, c, hidden, dropout_rate=dropout, deterministic=not dropout,
                                             decode=False, rngs=rngs)  # fmt: skip
        self.masked = masked

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply to a sequence."""
        return self.attend(x, mask=nnx.make_causal_mask(x[..., 0]) if self.masked else None)


NNX: dict[str, Callable[..., Any]] = {
    "conv": lambda c, rngs, features, kernel, strides, dilation, groups, padding, bias: nnx.Conv(
        c, features, kernel, strides, padding=padding, kernel_dilation=dilation, feature_group_count=groups,
        use_bias=bias, rngs=rngs),
    "conv_transpose": lambda c, rngs, features, kernel, strides, padding: nnx.ConvTranspose(
        c, features, kernel, strides, padding=padding, rngs=rngs),
    "dense": lambda c, rngs, features, bias=True: nnx.Linear(c, features, use_bias=bias, rngs=rngs),
    "batch_norm": lambda c, rngs, running: nnx.BatchNorm(c, use_running_average=running, rngs=rngs),
    "layer_norm": lambda c, rngs, scale=True: nnx.LayerNorm(c, use_scale=scale, use_bias=scale, rngs=rngs),
    "rms_norm": lambda c, rngs: nnx.RMSNorm(c, rngs=rngs),
    "group_norm": lambda c, rngs, groups: nnx.GroupNorm(c, num_groups=groups, rngs=rngs),
    "instance_norm": lambda c, rngs: nnx.InstanceNorm(c, rngs=rngs),
    "dropout": lambda c, rngs, rate, active: nnx.Dropout(rate, deterministic=not active, rngs=rngs),
    "attention": lambda c, rngs, **options: NnxAttention(c, **options, rngs=rngs),
    "embed": lambda c, rngs, vocabulary, features: nnx.Embed(vocabulary, features, rngs=rngs),
    "rnn": lambda c, rngs, cell, features: nnx.RNN(getattr(nnx, cell)(c, features, rngs=rngs), rngs=rngs),
}  # fmt: skip


class NnxChain(nnx.Module):
    """Layers one after the other, in nnx; ``channels`` are those that come out."""

    def __init__(self, layers: tuple[Layer, ...], channels: int, values: Values, rngs: nnx.Rngs) -> None:
        self.layers = layers
        parts: list[Any] = []
        for what in layers:
            options = options_of(what, values, channels)
            if what.kind in PLAIN:
                parts.append(nnx.List([]))
            elif what.kind in COMBINE:
                parts.append(nnx.List([NnxChain(chain, channels, values, rngs) for chain in what.inner]))
                channels = parts[-1][0].channels + (channels if what.kind == "concat" else 0)
            elif what.kind == "repeat":
                parts.append(NnxRepeat(what.inner[0], channels, values, rngs, options["how"]))
                channels = parts[-1].channels
            else:
                parts.append(NNX[what.kind](channels, rngs, **options))
                channels = options.get("features", channels)
        self.parts = nnx.List(parts)
        self.channels = channels

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply the layers."""
        for what, part in zip(self.layers, self.parts, strict=True):
            if what.kind in PLAIN:
                x = PLAIN[what.kind](x, **dict(what.options))
            elif what.kind in COMBINE:
                x = COMBINE[what.kind](x, *part)
            else:
                x = part(x)
        return x


class NnxRepeat(nnx.Module):
    """``L`` blocks: a Python loop, rematerialised or not, or a scan over stacked parameters."""

    def __init__(self, chain: tuple[Layer, ...], channels: int, values: Values, rngs: nnx.Rngs, how: str) -> None:
        self.how, times = how, values["L"]
        self.scanned = how in ("scan", "remat_scan")
        if self.scanned:

            @nnx.split_rngs(splits=times)
            @nnx.vmap(in_axes=(0,), out_axes=0)
            def stacked(rngs: nnx.Rngs) -> NnxChain:
                return NnxChain(chain, channels, values, rngs)

            self.blocks = stacked(rngs)
            self.channels = channels
            return
        blocks: list[NnxChain] = []
        for _ in range(times):
            blocks.append(NnxChain(chain, channels, values, rngs))
            channels = blocks[-1].channels
        self.blocks = nnx.List(blocks)
        self.channels = channels

    def __call__(self, x: jax.Array) -> jax.Array:
        """Apply the blocks."""

        def step(x: jax.Array, block: NnxChain) -> jax.Array:
            return block(x)

        if self.scanned:
            body = nnx.remat(step) if self.how == "remat_scan" else step
            return nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)(x, self.blocks)
        body = nnx.remat(step) if self.how == "remat" else step
        for block in self.blocks:
            x = body(x, block)
        return x
