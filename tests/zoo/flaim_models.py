"""Image models of the package flaim, and others that stand alone in theirs: each needs its package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import jax
from flax import nnx

from zoo.case import Case

PACKAGES = {"attnax_vit": "attnax"}
"""Of the models that are not of flaim."""


def flaim(file: str) -> Any:
    """A file of its models; the annotations ask for a type that jax had under another name."""
    if not hasattr(jax.random, "KeyArray"):
        jax.random.KeyArray = jax.Array  # type: ignore[attr-defined]
    return import_module(f"flaim.models.{file}")


def made(file: str, name: str, **fields: Any) -> Any:
    """One of its modules."""
    return getattr(flaim(file), name)(**fields)


def vgg11(classes: int) -> Any:
    """VGG-11."""
    dims = (64, "m", 128, "m", 256, 256, "m", 512, 512, "m", 512, 512, "m")
    return made("vgg", "VGG", out_dims=dims, n_classes=classes)


def convmixer(depth: int, d: int, classes: int) -> Any:
    """ConvMixer."""
    return made("convmixer", "ConvMixer", depth=depth, dim=d, n_classes=classes)


def convnext(d: int, classes: int) -> Any:
    """ConvNeXt."""
    return made("convnext", "ConvNeXt", depths=(2, 2, 6, 2), out_dims=(d, 2 * d, 4 * d, 8 * d), n_classes=classes)


def convnext_v2(d: int, classes: int) -> Any:
    """ConvNeXt V2: responses are normalised across the image."""
    return made("convnext", "ConvNeXt", depths=(2, 2, 6, 2), out_dims=(d, 2 * d, 4 * d, 8 * d), n_classes=classes,
                layer_scale_init_value=None, grn=True)  # fmt: skip


def resnet18(classes: int) -> Any:
    """ResNet-18."""
    return made("resnet", "ResNet", depths=(2, 2, 2, 2), block=flaim("resnet").BasicBlock, n_classes=classes)


def van(d: int, classes: int) -> Any:
    """VAN: attention of large dilated kernels."""
    return made("van", "VAN", depths=(3, 3, 5, 2), out_dims=(d, 2 * d, 5 * d, 8 * d), n_classes=classes)


def hornet(d: int, classes: int) -> Any:
    """HorNet: gated convolutions of rising orders."""
    return made("hornet", "HorNet", depths=(2, 3, 18, 2), out_dim_first_stage=d, n_classes=classes)


def vit(depth: int, d: int, H: int) -> Any:
    """ViT."""
    return made("vit", "ViT", depth=depth, token_dim=d, n_heads=H, n_classes=10)


def beit(depth: int, d: int, H: int) -> Any:
    """BEiT: biases by the distance of patches, and scaled layers."""
    return made("vit", "ViT", depth=depth, token_dim=d, n_heads=H, n_classes=10, rel_pos_embed=True,
                layer_scale_init_value=0.1)  # fmt: skip


def cait(depth: int, d: int, H: int) -> Any:
    """CaiT: the class attends to the patches in layers of its own."""
    return made("cait", "Cait", depth=depth, token_dim=d, n_heads=H, n_classes=10)


def pvt(d: int, classes: int) -> Any:
    """PVT V2: keys and values of reduced maps."""
    return made("pvtv2", "PVTV2", depths=(2, 2, 2, 2), token_dims=(d, 2 * d, 5 * d, 8 * d), n_heads=(1, 2, 5, 8),
                n_classes=classes)  # fmt: skip


def nest(d: int, classes: int) -> Any:
    """NesT: nested blocks of patches."""
    return made("nest", "NesT", depths=(2, 2, 8), token_dims=(d, 2 * d, 4 * d), n_heads=(3, 6, 12), n_classes=classes)


def swin(d: int, classes: int) -> Any:
    """Swin of windows of 7."""
    return made("swin", "Swin", depths=(2, 2, 6, 2), token_dim=d, n_heads=(3, 6, 12, 24), n_classes=classes)


def attnax_vit(L: int, d: int, H: int) -> Any:
    """attnax: a ViT of NNX."""
    config = import_module("attnax.config").VisionTransformerConfig(
        image_size=64, patch_size=16, num_channels=3, num_classes=10, d_model=d, num_heads=H, num_layers=L, d_ff=4 * d
    )
    return import_module("attnax.vision").VisionTransformer(nnx.Rngs(0), config)


IMAGES, FIXED = ("float32[n,r,r,3]",), ("float32[n,224,224,3]",)
INFERENCE = {"training": False}
MAPS, PATCHES = dict(n=2, r=96, classes=10), dict(n=2, r=96, depth=5, d=96, H=4)
SMALL, SMALL_PATCHES = dict(n=1, r=64, classes=7), dict(n=1, r=48, depth=1, d=24, H=3)

CASES = [
    Case("vgg11", vgg11, IMAGES, MAPS, SMALL),
    Case("convmixer", convmixer, IMAGES, {**MAPS, "depth": 5, "d": 48}, {**SMALL, "depth": 1, "d": 12}, INFERENCE),
    Case("convnext", convnext, IMAGES, {**MAPS, "d": 24}, {**SMALL, "d": 8}),
    Case("convnext_v2", convnext_v2, IMAGES, {**MAPS, "d": 24}, {**SMALL, "d": 8}),
    Case("resnet18", resnet18, IMAGES, MAPS, SMALL, INFERENCE),
    Case("van", van, IMAGES, {**MAPS, "d": 16}, {**SMALL, "d": 8}, INFERENCE),
    Case("hornet", hornet, IMAGES, {**MAPS, "d": 32}, {**SMALL, "d": 16}),
    Case("vit", vit, IMAGES, PATCHES, SMALL_PATCHES),
    Case("beit", beit, IMAGES, PATCHES, SMALL_PATCHES),
    Case("cait", cait, IMAGES, PATCHES, SMALL_PATCHES),
    Case("pvt", pvt, IMAGES, {**MAPS, "d": 32}, {**SMALL, "d": 8}),
    Case("nest", nest, FIXED, dict(n=2, classes=10, d=96), dict(n=1, classes=7, d=24)),
    Case("swin", swin, FIXED, dict(n=2, classes=10, d=96), dict(n=1, classes=7, d=24)),
    Case("attnax_vit", attnax_vit, ("float32[n,64,64,3]",), dict(n=2, L=5, d=96, H=4), dict(n=1, L=1, d=24, H=3),
         {"deterministic": True}),
]  # fmt: skip
