"""Encoder-decoders for images, in linen: UNet, a diffusion UNet, a VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from zoo.attention_vision import timestep_embedding
from zoo.case import Case


class DoubleConv(nn.Module):
    """Conv-BN-ReLU twice."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        for _ in range(2):
            x = nn.Conv(self.features, (3, 3), padding="SAME", use_bias=False)(x)
            x = nn.relu(nn.BatchNorm(use_running_average=not train)(x))
        return x


class UNet(nn.Module):
    """``levels`` poolings, transposed convolutions back up, concatenated skips."""

    width: int
    levels: int = 4
    classes: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        skips = []
        for i in range(self.levels):
            x = DoubleConv(self.width * 2**i, name=f"down{i}")(x, train)
            skips.append(x)
            x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = DoubleConv(self.width * 2**self.levels, name="bottom")(x, train)
        for i in reversed(range(self.levels)):
            x = nn.ConvTranspose(self.width * 2**i, (2, 2), strides=(2, 2), name=f"up{i}")(x)
            x = DoubleConv(self.width * 2**i, name=f"merge{i}")(jnp.concatenate([skips[i], x], axis=-1), train)
        return nn.Conv(self.classes, (1, 1))(x)


class ResnetBlock(nn.Module):
    """GroupNorm, swish, time embedding added between the convolutions."""

    features: int | None = None

    @nn.compact
    def __call__(self, x: jax.Array, temb: jax.Array, train: bool) -> jax.Array:
        features = x.shape[-1] if self.features is None else self.features
        h = nn.Conv(features, (3, 3))(nn.swish(nn.GroupNorm(num_groups=32, name="norm1")(x)))
        h += nn.Dense(features, name="temb_proj")(nn.swish(temb))[:, None, None, :]
        h = nn.swish(nn.GroupNorm(num_groups=32, name="norm2")(h))
        h = nn.Dropout(0.1)(h, deterministic=not train)
        h = nn.Conv(features, (3, 3), kernel_init=nn.initializers.zeros)(h)
        if x.shape[-1] != features:
            x = nn.Dense(features, name="nin_shortcut")(x)
        return x + h


class AttnBlock(nn.Module):
    """Self-attention over pixels."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        b, h, w, c = x.shape
        y = nn.GroupNorm(num_groups=32)(x).reshape(b, h * w, c)
        q, k, v = nn.Dense(c, name="q")(y), nn.Dense(c, name="k")(y), nn.Dense(c, name="v")(y)
        weights = nn.softmax(jnp.einsum("bqc,bkc->bqk", q, k) * int(c) ** -0.5)
        return x + nn.Dense(c, name="proj_out")(weights @ v).reshape(b, h, w, c)


class DiffusionUNet(nn.Module):
    """The UNet of DDPM; attention at some levels, nearest-neighbour upsampling."""

    ch: int
    mults: Sequence[int] = (1, 2, 2)
    blocks: int = 2
    attention: Sequence[int] = (1,)

    @nn.compact
    def __call__(self, x: jax.Array, t: jax.Array, train: bool) -> jax.Array:
        temb = nn.Dense(self.ch * 4)(nn.swish(nn.Dense(self.ch * 4)(timestep_embedding(t, self.ch))))
        channels = x.shape[-1]
        hs = [nn.Conv(self.ch, (3, 3), name="conv_in")(x)]
        for level, mult in enumerate(self.mults):
            for block in range(self.blocks):
                h = ResnetBlock(self.ch * mult, name=f"down_{level}.block_{block}")(hs[-1], temb, train)
                if level in self.attention:
                    h = AttnBlock(name=f"down_{level}.attn_{block}")(h)
                hs.append(h)
            if level != len(self.mults) - 1:
                hs.append(nn.Conv(self.ch * mult, (3, 3), strides=(2, 2), name=f"down_{level}.downsample")(hs[-1]))
        h = ResnetBlock(name="mid.block_1")(hs[-1], temb, train)
        h = ResnetBlock(name="mid.block_2")(AttnBlock(name="mid.attn_1")(h), temb, train)
        for level, mult in reversed(list(enumerate(self.mults))):
            for block in range(self.blocks + 1):
                joined = jnp.concatenate([h, hs.pop()], axis=-1)
                h = ResnetBlock(self.ch * mult, name=f"up_{level}.block_{block}")(joined, temb, train)
                if level in self.attention:
                    h = AttnBlock(name=f"up_{level}.attn_{block}")(h)
            if level != 0:
                b, height, width, c = h.shape
                h = jax.image.resize(h, (b, height * 2, width * 2, c), method="nearest")
                h = nn.Conv(c, (3, 3), name=f"up_{level}.upsample")(h)
        assert not hs
        return nn.Conv(channels, (3, 3), name="conv_out")(nn.swish(nn.GroupNorm(num_groups=32)(h)))


class VAE(nn.Module):
    """Convolutional encoder and decoder; the latent is drawn with its own random stream."""

    latents: int
    width: int

    def setup(self) -> None:
        w = self.width
        self.down = [nn.Conv(c, (4, 4), strides=(2, 2)) for c in (w, 2 * w, 4 * w)]
        self.mean, self.logvar = nn.Dense(self.latents), nn.Dense(self.latents)
        self.expand = nn.Dense(4 * 4 * 4 * w)
        self.up = [nn.ConvTranspose(c, (4, 4), strides=(2, 2)) for c in (2 * w, w, 3)]

    def encode(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean and log-variance."""
        for conv in self.down:
            x = nn.relu(conv(x))
        x = x.reshape((x.shape[0], -1))
        return self.mean(x), self.logvar(x)

    def decode(self, z: jax.Array) -> jax.Array:
        """Logits."""
        x = self.expand(z).reshape((-1, 4, 4, 4 * self.width))
        for conv in self.up[:-1]:
            x = nn.relu(conv(x))
        return self.up[-1](x)

    def __call__(self, x: jax.Array) -> tuple[Any, ...]:
        mean, logvar = self.encode(x)
        eps = jax.random.normal(self.make_rng("sample"), logvar.shape)
        return self.decode(mean + eps * jnp.exp(0.5 * logvar)), mean, logvar


CASES = [
    Case("unet", lambda w, C: UNet(w, 2, C), ("float32[n,4*k,4*k,c]",),
         dict(n=1, k=64, c=3, w=64, C=2), dict(n=2, k=1, c=1, w=4, C=3), {"train": False}),
    Case("unet_free_r", lambda w: UNet(w, 3), ("float32[n,r,r,1]",),
         dict(n=1, r=512, w=64), dict(n=2, r=16, w=4), {"train": False}, also=(dict(n=1, r=24, w=32),)),
    Case("unet_levels", lambda w, k: UNet(w, k), ("float32[n,256,256,1]",),
         dict(n=1, w=64, k=5), dict(n=1, w=4, k=2), {"train": False}),
    Case("unet_train", lambda w, C: UNet(w, 1, C), ("float32[n,2*k,2*k,3]",),
         dict(n=4, k=64, w=64, C=2), dict(n=2, k=2, w=4, C=3), {"train": True}, {"mode": "train"}),
    Case("diffusion_unet", lambda c: DiffusionUNet(c), ("float32[n,4*k,4*k,3]", "int32[n]"),
         dict(n=1, k=8, c=128), dict(n=2, k=2, c=32), {"train": False}),
    Case("diffusion_unet_blocks", lambda c, b: DiffusionUNet(c, (1, 2), b, ()), ("float32[n,r,r,3]", "int32[n]"),
         dict(n=1, r=64, c=128, b=3), dict(n=2, r=8, c=32, b=1), {"train": True}),
    Case("vae", lambda z, w: VAE(z, w), ("float32[n,r,r,3]",),
         dict(n=16, r=32, z=64, w=32), dict(n=2, r=16, z=5, w=4), {}, {"rngs": ("sample",)}),
    Case("vae_train", lambda z, w: VAE(z, w), ("float32[n,8*k,8*k,3]",),
         dict(n=16, k=4, z=64, w=32), dict(n=2, k=2, z=5, w=4), {}, {"rngs": ("sample",), "mode": "train"}),
    Case("vae_encode", lambda z, w: VAE(z, w), ("float32[n,r,r,3]",),
         dict(n=16, r=32, z=64, w=32), dict(n=2, r=16, z=5, w=4), {}, {"method": "encode"}),
]  # fmt: skip
