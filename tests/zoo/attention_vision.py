"""Vision models with attention or patches, in linen: ViT, ConvNeXt, Swin, MLP-Mixer, DiT."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from zoo.case import Case


class MlpBlock(nn.Module):
    """Transformer MLP with dropout."""

    mlp_dim: int | None = None
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool = True) -> jax.Array:
        out = x.shape[-1]
        x = nn.gelu(nn.Dense(self.mlp_dim or 4 * out, bias_init=nn.initializers.normal(1e-6))(x))
        x = nn.Dropout(self.dropout)(x, deterministic)
        return nn.Dense(out)(x)


# -- ViT, as in big_vision --------------------------------------------------------------------------------------------
class Encoder1DBlock(nn.Module):
    """Pre-norm block."""

    mlp_dim: int
    num_heads: int
    dropout: float = 0.1

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool = True) -> jax.Array:
        y = nn.LayerNorm()(x)
        y = nn.MultiHeadDotProductAttention(
            num_heads=self.num_heads, kernel_init=nn.initializers.xavier_uniform(), deterministic=deterministic
        )(y, y)
        y = nn.Dropout(rate=self.dropout)(y, deterministic)
        x = x + y
        y = MlpBlock(self.mlp_dim, self.dropout)(nn.LayerNorm()(x), deterministic)
        return x + nn.Dropout(rate=self.dropout)(y, deterministic)


class ViT(nn.Module):
    """Vision transformer with a class token and a learned position table."""

    num_classes: int
    patch: int
    width: int
    depth: int
    num_heads: int
    mlp_dim: int | None = None
    pool: str = "tok"

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> jax.Array:
        x = nn.Conv(self.width, (self.patch,) * 2, strides=(self.patch,) * 2, padding="VALID", name="embedding")(image)
        n, h, w, c = x.shape
        x = jnp.reshape(x, [n, h * w, c])
        x = x + self.param("pos_embedding", nn.initializers.normal(1 / np.sqrt(self.width)), (1, h * w, c))
        if self.pool == "tok":
            cls = self.param("cls", nn.initializers.zeros, (1, 1, c))
            x = jnp.concatenate([jnp.tile(cls, [n, 1, 1]), x], axis=1)
        x = nn.Dropout(rate=0.1)(x, not train)
        for lyr in range(self.depth):
            block = Encoder1DBlock(self.mlp_dim or 4 * self.width, self.num_heads, name=f"encoderblock_{lyr}")
            x = block(x, not train)
        x = nn.LayerNorm(name="encoder_norm")(x)
        x = x[:, 0] if self.pool == "tok" else jnp.mean(x, axis=1)
        return nn.Dense(self.num_classes, name="head", kernel_init=nn.initializers.zeros)(x)


# -- ConvNeXt ---------------------------------------------------------------------------------------------------------
class DropPath(nn.Module):
    """Stochastic depth per sample, with its own random stream."""

    rate: float

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool) -> jax.Array:
        if self.rate == 0.0 or deterministic:
            return x
        keep = 1.0 - self.rate
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        return x * jax.random.bernoulli(self.make_rng("drop_path"), keep, shape) / keep


class ConvNeXtBlock(nn.Module):
    """7x7 depthwise, LayerNorm, pointwise expansion, layer scale."""

    dim: int
    drop_path: float
    layer_scale_init: float = 1e-6

    def init_fn(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Layer scale starts small."""
        return jnp.full(shape, self.layer_scale_init)

    @nn.compact
    def __call__(self, inputs: jax.Array, deterministic: bool) -> jax.Array:
        x = nn.Conv(self.dim, (7, 7), padding=3, feature_group_count=self.dim, name="dwconv")(inputs)
        x = nn.LayerNorm(epsilon=1e-6, name="norm")(x)
        x = nn.gelu(nn.Dense(int(4 * self.dim), name="pwconv1")(x), approximate=False)
        x = nn.Dense(self.dim, name="pwconv2")(x)
        x = x * self.param("gamma", self.init_fn, (self.dim,))
        return inputs + DropPath(self.drop_path)(x, deterministic)


class ConvNeXt(nn.Module):
    """Four stages."""

    depths: Sequence[int]
    dims: Sequence[int]
    num_classes: int = 1000
    drop_path: float = 0.1

    @nn.compact
    def __call__(self, x: jax.Array, deterministic: bool = True) -> jax.Array:
        rates = iter(np.linspace(0, self.drop_path, sum(self.depths)))
        x = nn.LayerNorm()(nn.Conv(self.dims[0], (4, 4), strides=4, padding="VALID")(x))
        for i, (dim, depth) in enumerate(zip(self.dims, self.depths, strict=True)):
            if i > 0:
                x = nn.Conv(dim, (2, 2), strides=2, padding="VALID")(nn.LayerNorm()(x))
            for j in range(depth):
                x = ConvNeXtBlock(dim, float(next(rates)), name=f"stages{i}{j}")(x, deterministic)
        return nn.Dense(self.num_classes)(nn.LayerNorm()(x.mean([1, 2])))


# -- Swin -------------------------------------------------------------------------------------------------------------
def window_partition(x: jax.Array, window: int) -> jax.Array:
    """(B, H, W, C) to (windows, window^2, C)."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // window, window, w // window, window, c)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, window * window, c)


def window_reverse(windows: jax.Array, window: int, h: int, w: int) -> jax.Array:
    """The inverse."""
    b = int(windows.shape[0] / (h * w / window / window))
    x = windows.reshape(b, h // window, w // window, window, window, -1)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(b, h, w, -1)


class WindowAttention(nn.Module):
    """Attention in a window with a table of relative position biases."""

    dim: int
    window: int
    num_heads: int

    def setup(self) -> None:
        self.scale = (self.dim // self.num_heads) ** -0.5
        self.qkv = nn.Dense(self.dim * 3)
        self.proj = nn.Dense(self.dim)
        self.table = self.param(
            "relative_position_bias_table", nn.initializers.truncated_normal(0.02),
            ((2 * self.window - 1) ** 2, self.num_heads),
        )  # fmt: skip
        coords = np.stack(np.meshgrid(np.arange(self.window), np.arange(self.window), indexing="ij")).reshape(2, -1)
        relative = (coords[:, :, None] - coords[:, None, :]).transpose(1, 2, 0) + self.window - 1
        self.index = relative[..., 0] * (2 * self.window - 1) + relative[..., 1]

    def __call__(self, x: jax.Array, mask: np.ndarray | None) -> jax.Array:
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.num_heads, c // self.num_heads).transpose(2, 0, 3, 1, 4)
        q, k, v = qkv[0] * self.scale, qkv[1], qkv[2]
        attn = q @ k.swapaxes(-2, -1)
        attn = attn + self.table[self.index.reshape(-1)].reshape(n, n, -1).transpose(2, 0, 1)[None]
        if mask is not None:
            nw = mask.shape[0]
            attn = attn.reshape(b // nw, nw, self.num_heads, n, n) + jnp.asarray(mask)[None, :, None]
            attn = attn.reshape(-1, self.num_heads, n, n)
        attn = nn.softmax(attn, axis=-1)
        return self.proj((attn @ v).transpose(0, 2, 1, 3).reshape(b, n, c))


class SwinBlock(nn.Module):
    """Window attention, shifted or not, and an MLP."""

    dim: int
    heads: int
    window: int
    shift: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        _, h, w, _ = x.shape
        window, shift = self.window, self.shift
        if min(h, w) <= window:
            window, shift = min(h, w), 0
        y = nn.LayerNorm()(x)
        mask = None
        if shift > 0:
            y = jnp.roll(y, (-shift, -shift), axis=(1, 2))
            image = np.zeros((1, h, w, 1))
            count = 0
            for hs in (slice(0, -window), slice(-window, -shift), slice(-shift, None)):
                for ws in (slice(0, -window), slice(-window, -shift), slice(-shift, None)):
                    image[:, hs, ws] = count
                    count += 1
            flat = np.asarray(window_partition(image, window)).reshape(-1, window * window)
            mask = np.where(flat[:, None] != flat[:, :, None], -100.0, 0.0).astype(np.float32)
        y = WindowAttention(self.dim, window, self.heads)(window_partition(y, window), mask)
        y = window_reverse(y, window, h, w)
        if shift > 0:
            y = jnp.roll(y, (shift, shift), axis=(1, 2))
        x = x + y
        return x + MlpBlock()(nn.LayerNorm()(x))


class Swin(nn.Module):
    """Hierarchical transformer with patch merging; heads double with the width."""

    embed_dim: int
    depths: Sequence[int]
    head_dim: int = 32
    window: int = 7
    num_classes: int = 1000

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.LayerNorm()(nn.Conv(self.embed_dim, (4, 4), strides=4, padding="VALID")(x))
        for i, depth in enumerate(self.depths):
            dim = self.embed_dim * 2**i
            if i:
                b, h, w, c = x.shape
                x = x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 4, 2, 5).reshape(b, h // 2, w // 2, 4 * c)
                x = nn.Dense(dim, use_bias=False)(nn.LayerNorm()(x))
            for j in range(depth):
                shift = 0 if j % 2 == 0 else self.window // 2
                x = SwinBlock(dim, dim // self.head_dim, self.window, shift)(x)
        return nn.Dense(self.num_classes)(nn.LayerNorm()(x).mean((1, 2)))


# -- MLP-Mixer --------------------------------------------------------------------------------------------------------
class MixerBlock(nn.Module):
    """Token mixing and channel mixing."""

    tokens_mlp_dim: int
    channels_mlp_dim: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = jnp.swapaxes(nn.LayerNorm()(x), 1, 2)
        x = x + jnp.swapaxes(MlpBlock(self.tokens_mlp_dim, name="token_mixing")(y), 1, 2)
        return x + MlpBlock(self.channels_mlp_dim, name="channel_mixing")(nn.LayerNorm()(x))


class MlpMixer(nn.Module):
    """Mixer over patches."""

    patch: int
    num_classes: int
    num_blocks: int
    hidden_dim: int
    tokens_mlp_dim: int
    channels_mlp_dim: int

    @nn.compact
    def __call__(self, inputs: jax.Array) -> jax.Array:
        x = nn.Conv(self.hidden_dim, (self.patch,) * 2, strides=(self.patch,) * 2, name="stem")(inputs)
        x = x.reshape(x.shape[0], -1, x.shape[-1])
        for _ in range(self.num_blocks):
            x = MixerBlock(self.tokens_mlp_dim, self.channels_mlp_dim)(x)
        return nn.Dense(self.num_classes)(jnp.mean(nn.LayerNorm(name="pre_head")(x), axis=1))


# -- DiT --------------------------------------------------------------------------------------------------------------
def timestep_embedding(t: jax.Array, dim: int, max_period: float = 10000.0) -> jax.Array:
    """Sinusoids of the time step."""
    half = dim // 2
    freqs = jnp.exp(-np.log(max_period) * jnp.arange(half, dtype=jnp.float32) / half)
    args = t[:, None].astype(jnp.float32) * freqs[None]
    return jnp.concatenate([jnp.cos(args), jnp.sin(args)], axis=-1)


def modulate(x: jax.Array, shift: jax.Array, scale: jax.Array) -> jax.Array:
    """Adaptive LayerNorm."""
    return x * (1 + scale[:, None]) + shift[:, None]


class DiTBlock(nn.Module):
    """adaLN-Zero."""

    hidden: int
    heads: int
    mlp_ratio: float = 4.0

    @nn.compact
    def __call__(self, x: jax.Array, c: jax.Array) -> jax.Array:
        c = nn.Dense(6 * self.hidden, kernel_init=nn.initializers.zeros)(nn.silu(c))
        s1, k1, g1, s2, k2, g2 = jnp.split(c, 6, axis=-1)
        norm = partial(nn.LayerNorm, use_bias=False, use_scale=False)
        y = modulate(norm()(x), s1, k1)
        x = x + g1[:, None] * nn.MultiHeadDotProductAttention(num_heads=self.heads)(y, y)
        y = nn.Dense(int(self.hidden * self.mlp_ratio))(modulate(norm()(x), s2, k2))
        return x + g2[:, None] * nn.Dense(self.hidden)(nn.gelu(y))


class DiT(nn.Module):
    """Diffusion transformer over latents of any size; sine-cosine positions computed with numpy."""

    patch: int
    hidden: int
    depth: int
    heads: int
    num_classes: int = 1000

    @nn.compact
    def __call__(self, x: jax.Array, t: jax.Array, y: jax.Array) -> jax.Array:
        b, side, _, channels = x.shape
        grid = side // self.patch
        x = nn.Conv(self.hidden, (self.patch,) * 2, (self.patch,) * 2, padding="VALID")(x).reshape(b, grid * grid, -1)
        omega = 1.0 / 10000 ** (np.arange(self.hidden // 2) / (self.hidden / 2))
        table = np.arange(grid * grid)[:, None] * omega[None]
        x = x + np.concatenate([np.sin(table), np.cos(table)], axis=1)[None].astype(np.float32)
        c = nn.Dense(self.hidden)(nn.silu(nn.Dense(self.hidden)(timestep_embedding(t, 256))))
        c = c + nn.Embed(self.num_classes + 1, self.hidden)(y)
        for _ in range(self.depth):
            x = DiTBlock(self.hidden, self.heads)(x, c)
        s, k = jnp.split(nn.Dense(2 * self.hidden)(nn.silu(c)), 2, axis=-1)
        x = nn.Dense(self.patch**2 * channels * 2)(modulate(nn.LayerNorm(use_bias=False, use_scale=False)(x), s, k))
        x = x.reshape(b, grid, grid, self.patch, self.patch, 2 * channels)
        return jnp.einsum("nhwpqc->nhpwqc", x).reshape(b, side, side, 2 * channels)


IMAGE = ("float32[n,r,r,3]",)
MIXER = dict(n=1, k=14, C=1000, L=12, d=768, a=384, b=3072)
CASES = [
    Case("vit", lambda C, p, d, L, H: ViT(C, p, d, L, H), IMAGE,
         dict(n=1, r=224, C=1000, p=16, d=768, L=12, H=12), dict(n=2, r=32, C=10, p=8, d=24, L=1, H=3),
         {"train": False}, also=(dict(n=1, r=384, C=1000, p=14, d=1024, L=24, H=16),)),
    Case("vit_train", lambda C, d, L, H, m: ViT(C, 16, d, L, H, m), ("float32[n,16*k,16*k,3]",),
         dict(n=1, k=14, C=1000, d=768, L=12, H=12, m=3072), dict(n=2, k=2, C=10, d=12, L=2, H=3, m=20),
         {"train": True}, {"mode": "train"}),
    Case("convnext", lambda a, b, c, d, w, C: ConvNeXt([a, b, c, d], [w, 2 * w, 4 * w, 8 * w], C), IMAGE,
         dict(n=1, r=224, a=3, b=3, c=9, d=3, w=96, C=1000), dict(n=2, r=32, a=1, b=1, c=2, d=1, w=8, C=10),
         {"deterministic": True}),
    Case("convnext_drop_path", lambda w, C: ConvNeXt([1, 2], [w, 2 * w], C), IMAGE,
         dict(n=8, r=224, w=96, C=1000), dict(n=2, r=32, w=8, C=10),
         {"deterministic": False}, {"rngs": ("drop_path",), "mode": "train"}),
    Case("swin", lambda d, a, C: Swin(32 * d, [2, 2, a, 2], num_classes=C), ("float32[n,224*k,224*k,3]",),
         dict(n=1, k=1, d=3, a=6, C=1000), dict(n=1, k=1, d=1, a=2, C=10)),
    Case("swin_two_stages", lambda d, C: Swin(32 * d, [2, 2], num_classes=C), ("float32[n,56*k,56*k,3]",),
         dict(n=1, k=4, d=3, C=1000), dict(n=1, k=3, d=1, C=10)),
    Case("mixer", lambda C, L, d, a, b: MlpMixer(16, C, L, d, a, b), ("float32[n,16*k,16*k,3]",),
         MIXER, dict(n=2, k=2, C=10, L=1, d=8, a=6, b=10)),
    Case("dit", lambda p, d, L: DiT(p, 8 * d, L, 4), ("float32[n,p*k,p*k,4]", "int32[n]", "int32[n]"),
         dict(n=1, k=16, p=2, d=96, L=12), dict(n=2, k=4, p=2, d=3, L=1)),
    Case("vit_train_depth", lambda d, L: ViT(10, 8, 4 * d, L, 4), ("float32[n,32,32,3]",),
         dict(n=8, d=192, L=12), dict(n=2, d=3, L=2), {"train": True}, {"mode": "train"}),
    Case("convnext_width", lambda w: ConvNeXt([1, 1], [w, 2 * w]), IMAGE,
         dict(n=1, r=224, w=96), dict(n=2, r=32, w=8), {"deterministic": True}),
]  # fmt: skip
