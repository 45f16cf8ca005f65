"""Convolutional networks in linen: compact modules, partials, rounding rules, stages read from tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from zoo.case import Case

ModuleDef = Any


# -- EfficientNet: round_filters, round_repeats, squeeze and excitation from integer ratios ---------------------------
class BlockArgs(NamedTuple):
    """One stage of EfficientNet-B0."""

    kernel: int
    repeats: int
    filters_in: int
    filters_out: int
    expand: int
    stride: int
    se_ratio: float = 0.25


B0 = (
    BlockArgs(3, 1, 32, 16, 1, 1), BlockArgs(3, 2, 16, 24, 6, 2), BlockArgs(5, 2, 24, 40, 6, 2),
    BlockArgs(3, 3, 40, 80, 6, 2), BlockArgs(5, 3, 80, 112, 6, 1), BlockArgs(5, 4, 112, 192, 6, 2),
    BlockArgs(3, 1, 192, 320, 6, 1),
)  # fmt: skip


def round_filters(filters: float, width_coefficient: float, depth_divisor: int = 8) -> int:
    """The published rule: to a multiple of the divisor, never below nine tenths."""
    filters = filters * width_coefficient
    new_filters = max(depth_divisor, int(filters + depth_divisor / 2) // depth_divisor * depth_divisor)
    if new_filters < 0.9 * filters:
        new_filters += depth_divisor
    return new_filters


def round_repeats(repeats: int, depth_coefficient: float) -> int:
    """Stage depths are rounded up."""
    return math.ceil(depth_coefficient * repeats)


class SqueezeExcite(nn.Module):
    """Channel gating with a bottleneck of an integer width."""

    reduced: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = x.mean(axis=(1, 2), keepdims=True)
        y = nn.swish(nn.Conv(self.reduced, (1, 1), name="reduce")(y))
        return x * nn.sigmoid(nn.Conv(x.shape[-1], (1, 1), name="expand")(y))


class MBConv(nn.Module):
    """Inverted bottleneck with squeeze and excitation and stochastic depth."""

    args: BlockArgs
    filters_in: int
    filters_out: int
    stride: int
    conv: ModuleDef
    norm: ModuleDef
    drop_rate: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        inputs = x
        hidden = self.filters_in * self.args.expand
        if self.args.expand != 1:
            x = nn.swish(self.norm(name="expand_bn")(self.conv(hidden, (1, 1), name="expand_conv")(x)))
        kernel = (self.args.kernel,) * 2
        x = self.conv(hidden, kernel, strides=self.stride, feature_group_count=hidden, name="dwconv")(x)
        x = nn.swish(self.norm(name="bn")(x))
        if 0 < self.args.se_ratio <= 1:
            x = SqueezeExcite(max(1, int(self.filters_in * self.args.se_ratio)), name="se")(x)
        x = self.norm(name="project_bn")(self.conv(self.filters_out, (1, 1), name="project_conv")(x))
        if self.stride == 1 and self.filters_in == self.filters_out:
            if self.drop_rate > 0:
                x = nn.Dropout(self.drop_rate, broadcast_dims=(1, 2, 3), deterministic=not train)(x)
            x = x + inputs
        return x


class EfficientNet(nn.Module):
    """EfficientNet with any width and depth coefficient."""

    width_coefficient: float = 1.0
    depth_coefficient: float = 1.0
    num_classes: int = 1000
    blocks: Sequence[BlockArgs] = B0
    drop_connect_rate: float = 0.2
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        conv = partial(nn.Conv, use_bias=False, padding="SAME", dtype=self.dtype)
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=0.99, epsilon=1e-3, dtype=self.dtype)
        x = nn.swish(norm(name="stem_bn")(conv(round_filters(32, self.width_coefficient), (3, 3), 2, name="stem")(x)))
        total = sum(round_repeats(b.repeats, self.depth_coefficient) for b in self.blocks)
        index = 0
        for number, block in enumerate(self.blocks):
            filters_in = round_filters(block.filters_in, self.width_coefficient)
            filters_out = round_filters(block.filters_out, self.width_coefficient)
            for repeat in range(round_repeats(block.repeats, self.depth_coefficient)):
                x = MBConv(
                    block, filters_in if repeat == 0 else filters_out, filters_out, block.stride if repeat == 0 else 1,
                    conv, norm, self.drop_connect_rate * index / total, name=f"stage{number}_block{repeat}",
                )(x, train)  # fmt: skip
                index += 1
        x = nn.swish(norm(name="top_bn")(conv(round_filters(1280, self.width_coefficient), (1, 1), name="top")(x)))
        x = nn.Dropout(0.2, deterministic=not train)(x.mean(axis=(1, 2)))
        return nn.Dense(self.num_classes, name="head")(x)


# -- MobileNetV2: make_divisible --------------------------------------------------------------------------------------
def make_divisible(v: float, divisor: int = 8, min_value: int | None = None) -> int:
    """The rule of the original repository."""
    if min_value is None:
        min_value = divisor
    new_v = max(min_value, int(v + divisor / 2) // divisor * divisor)
    return new_v + divisor if new_v < 0.9 * v else new_v


class InvertedResidual(nn.Module):
    """Expand, depthwise, project."""

    inp: int
    oup: int
    stride: int
    expand_ratio: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        norm = partial(nn.BatchNorm, use_running_average=not train)
        hidden = round(self.inp * self.expand_ratio)
        h = x
        if self.expand_ratio != 1:
            h = nn.relu6(norm()(nn.Conv(hidden, (1, 1), use_bias=False)(h)))
        h = nn.Conv(hidden, (3, 3), self.stride, padding=1, feature_group_count=hidden, use_bias=False)(h)
        h = nn.relu6(norm()(h))
        h = norm()(nn.Conv(self.oup, (1, 1), use_bias=False)(h))
        return x + h if self.stride == 1 and self.inp == self.oup else h


class MobileNetV2(nn.Module):
    """Seven stages of (expansion, channels, repeats, stride)."""

    width_mult: float = 1.0
    num_classes: int = 1000
    round_nearest: int = 8
    setting: Sequence[tuple[int, int, int, int]] = (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    )  # fmt: skip

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        channels = make_divisible(32 * self.width_mult, self.round_nearest)
        x = nn.Conv(channels, (3, 3), 2, padding=1, use_bias=False)(x)
        x = nn.relu6(nn.BatchNorm(use_running_average=not train)(x))
        for t, c, n, s in self.setting:
            out = make_divisible(c * self.width_mult, self.round_nearest)
            for i in range(n):
                x = InvertedResidual(channels, out, s if i == 0 else 1, t)(x, train)
                channels = out
        last = make_divisible(1280 * max(1.0, self.width_mult), self.round_nearest)
        x = nn.relu6(nn.BatchNorm(use_running_average=not train)(nn.Conv(last, (1, 1), use_bias=False)(x)))
        return nn.Dense(self.num_classes)(jnp.mean(x, axis=(1, 2)))


# -- DenseNet: concatenation, L^2 terms -------------------------------------------------------------------------------
class DenseLayer(nn.Module):
    """BN-ReLU-Conv1x1-BN-ReLU-Conv3x3, concatenated to its input."""

    growth: int
    bn_size: int = 4

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        y = nn.relu(nn.BatchNorm(use_running_average=not train)(x))
        y = nn.Conv(self.bn_size * self.growth, (1, 1), use_bias=False)(y)
        y = nn.relu(nn.BatchNorm(use_running_average=not train)(y))
        y = nn.Conv(self.growth, (3, 3), padding=1, use_bias=False)(y)
        return jnp.concatenate([x, y], axis=-1)


class DenseNet(nn.Module):
    """Three dense blocks of ``layers`` layers with halving transitions."""

    growth: int
    layers: int
    num_classes: int = 10

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(2 * self.growth, (3, 3), use_bias=False)(x)
        for block in range(3):
            for i in range(self.layers):
                x = DenseLayer(self.growth, name=f"denseblock{block}_layer{i}")(x, train)
            if block < 2:
                x = nn.relu(nn.BatchNorm(use_running_average=not train)(x))
                x = nn.Conv(x.shape[-1] // 2, (1, 1), use_bias=False)(x)
                x = nn.avg_pool(x, (2, 2), (2, 2))
        x = nn.relu(nn.BatchNorm(use_running_average=not train)(x))
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


# -- ResNet in the style of the flax example: partials, zero-initialised scales, BatchNorm across devices -------------
class BottleneckBlock(nn.Module):
    """1x1, 3x3, 1x1 with projection."""

    filters: int
    conv: ModuleDef
    norm: ModuleDef
    act: Callable[[jax.Array], jax.Array]
    strides: tuple[int, int] = (1, 1)

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        residual = x
        y = self.act(self.norm()(self.conv(self.filters, (1, 1))(x)))
        y = self.act(self.norm()(self.conv(self.filters, (3, 3), self.strides)(y)))
        y = self.norm(scale_init=nn.initializers.zeros_init())(self.conv(self.filters * 4, (1, 1))(y))
        if residual.shape != y.shape:
            residual = self.conv(self.filters * 4, (1, 1), self.strides, name="conv_proj")(residual)
            residual = self.norm(name="norm_proj")(residual)
        return self.act(residual + y)


class ResNet(nn.Module):
    """ResNet v1.5."""

    stage_sizes: Sequence[int]
    num_classes: int
    num_filters: int = 64
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = True) -> jax.Array:
        conv = partial(nn.Conv, use_bias=False)
        norm = partial(nn.BatchNorm, use_running_average=not train, axis_name=self.axis_name)
        x = conv(self.num_filters, (7, 7), (2, 2), padding=[(3, 3), (3, 3)], name="conv_init")(x)
        x = nn.max_pool(nn.relu(norm(name="bn_init")(x)), (3, 3), strides=(2, 2), padding="SAME")
        for i, size in enumerate(self.stage_sizes):
            for j in range(size):
                strides = (2, 2) if i > 0 and j == 0 else (1, 1)
                x = BottleneckBlock(self.num_filters * 2**i, conv, norm, nn.relu, strides)(x)
        return nn.Dense(self.num_classes)(jnp.mean(x, axis=(1, 2)))


# -- RegNet: widths from a quantised line -----------------------------------------------------------------------------
class RegNet(nn.Module):
    """Stages of given depths and widths; group width fixed, groups a quotient."""

    widths: Sequence[int]
    depths: Sequence[int]
    group_width: int
    num_classes: int = 1000

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        norm = partial(nn.BatchNorm, use_running_average=not train)
        x = nn.relu(norm()(nn.Conv(32, (3, 3), 2, use_bias=False)(x)))
        for width, depth in zip(self.widths, self.depths, strict=True):
            for i in range(depth):
                stride = 2 if i == 0 else 1
                y = nn.relu(norm()(nn.Conv(width, (1, 1), use_bias=False)(x)))
                groups = width // self.group_width
                y = nn.Conv(width, (3, 3), stride, feature_group_count=groups, use_bias=False)(y)
                y = nn.relu(norm()(y))
                gate = nn.relu(nn.Conv(int(0.25 * x.shape[-1]), (1, 1))(y.mean((1, 2), keepdims=True)))
                y = norm()(nn.Conv(width, (1, 1), use_bias=False)(y * nn.sigmoid(nn.Conv(width, (1, 1))(gate))))
                if x.shape != y.shape:
                    x = norm()(nn.Conv(width, (1, 1), stride, use_bias=False)(x))
                x = nn.relu(x + y)
        return nn.Dense(self.num_classes)(x.mean((1, 2)))


# -- WaveNet: doubling dilations --------------------------------------------------------------------------------------
class WaveNet(nn.Module):
    """Stacks of causal dilated convolutions with gated units and skips."""

    residual: int
    skip: int
    stacks: int
    classes: int
    cycle: int = 6

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = nn.Embed(self.classes, self.residual)(tokens)
        skips = 0.0
        for i in range(self.stacks * self.cycle):
            h = nn.Conv(2 * self.residual, (2,), kernel_dilation=2 ** (i % self.cycle), padding="CAUSAL")(x)
            a, b = jnp.split(h, 2, axis=-1)
            h = jnp.tanh(a) * nn.sigmoid(b)
            skips = skips + nn.Dense(self.skip)(h)
            x = x + nn.Dense(self.residual)(h)
        return nn.Dense(self.classes)(nn.relu(nn.Dense(self.skip)(nn.relu(skips))))


IMAGE = ("float32[n,r,r,3]",)
CASES = [
    Case("efficientnet", lambda w, D, classes: EfficientNet(w / 10, D / 10, classes), IMAGE,
         dict(n=1, r=224, w=10, D=10, classes=1000), dict(n=2, r=64, w=10, D=10, classes=7), {"train": False}),
    Case("efficientnet_width", lambda w, classes: EfficientNet(w / 10, 1.0, classes, B0[:2]), IMAGE,
         dict(n=1, r=224, w=10, classes=1000), dict(n=2, r=64, w=12, classes=7), {"train": False}),
    Case("mobilenet_v2", lambda w, classes: MobileNetV2(w / 20, classes), IMAGE,
         dict(n=1, r=224, w=20, classes=1000), dict(n=2, r=64, w=15, classes=7), {"train": False},
         also=(dict(n=1, r=1024, w=7, classes=5),)),
    Case("densenet", lambda g, L: DenseNet(g, L), IMAGE,
         dict(n=1, r=32, g=12, L=16), dict(n=2, r=16, g=4, L=2), {"train": False}),
    Case("resnet50_synced", lambda C, a, b, c, d, w: ResNet([a, b, c, d], C, w, axis_name="batch"), IMAGE,
         dict(n=1, r=224, C=1000, a=3, b=4, c=6, d=3, w=64), dict(n=2, r=64, C=10, a=1, b=1, c=1, d=1, w=8),
         {"train": True}, {"axes": {"batch": 8}}),
    Case("resnet18_train", lambda w, C: ResNet([2, 2], C, w), IMAGE,
         dict(n=4, r=224, C=1000, w=64), dict(n=2, r=32, C=10, w=8), {"train": True}, {"mode": "train"}),
    Case("regnet", lambda a, b, g, d: RegNet([a * g, b * g], [d, 2 * d], g), IMAGE,
         dict(n=1, r=224, a=2, b=4, g=16, d=2), dict(n=1, r=32, a=1, b=2, g=8, d=1), {"train": False}),
    Case("wavenet", lambda c, s, V: WaveNet(c, s, 1, V), ("int32[n,T]",),
         dict(n=1, T=16000, c=64, s=128, V=256), dict(n=2, T=100, c=8, s=12, V=16)),
    Case("resnet_train_width", lambda w: ResNet([1, 1], 10, w), IMAGE,
         dict(n=4, r=224, w=64), dict(n=2, r=32, w=8), {"train": True}, {"mode": "train"}),
    Case("resnet_synced_width", lambda w: ResNet([1, 2], 10, w, axis_name="batch"), IMAGE,
         dict(n=4, r=224, w=64), dict(n=2, r=32, w=8), {"train": True}, {"axes": {"batch": 8}}),
]  # fmt: skip
