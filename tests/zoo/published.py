"""Models as others published them in packages, in the sizes that their authors left open; each needs its package."""

from __future__ import annotations

import dataclasses
from typing import Any

from flax import nnx

from zoo.case import Case


def vgg16() -> Any:
    """VGG-16 without its fully connected layers."""
    import flaxmodels

    return flaxmodels.VGG16(output="logits", pretrained=None, include_head=False, normalize=False)


def resnet50(classes: int) -> Any:
    """ResNet-50."""
    import flaxmodels

    return flaxmodels.ResNet50(output="logits", pretrained=None, num_classes=classes)


def botnet(classes: int) -> Any:
    """Bottleneck transformers."""
    from bottleneck_transformer_flax.botnet import BoTNet, BoTNetConfig

    return BoTNet(BoTNetConfig(stage_sizes=[3, 4, 6, 6], num_classes=classes))


def mamba2(L: int, V: int) -> Any:
    """A small Mamba-2."""
    from mamba2_jax.modeling import Mamba2Config, Mamba2ForCausalLM

    config = dataclasses.replace(Mamba2Config.tiny(), num_hidden_layers=L, vocab_size=V)
    return Mamba2ForCausalLM(config, rngs=nnx.Rngs(0))


def nano_moe(E: int, L: int) -> Any:
    """A small mixture of experts."""
    from nano_moe.config import NanoMoEConfig
    from nano_moe.model import NanoMoE

    return NanoMoE(NanoMoEConfig(n_experts=E, n_layers=L))


def tnt(depth: int, k: int) -> Any:
    """Transformer in transformer."""
    from transformer_in_transformer_flax.tnt import TNTConfig, TransformerInTransformer

    return TransformerInTransformer(TNTConfig(depth=depth, image_size=16 * k))


CASES = [
    Case("VGG-16", vgg16, ("float32[n,r,r,3]",), dict(n=2, r=97), dict(n=1, r=32), {"train": False}),
    Case("ResNet-50", resnet50, ("float32[n,r,r,3]",),
         dict(n=1, r=224, classes=1000), dict(n=1, r=64, classes=7), {"train": False}),
    Case("TNT", tnt, ("float32[n,16*k,16*k,3]",), dict(n=2, k=3, depth=6), dict(n=1, k=2, depth=1)),
    Case("NanoMoE", nano_moe, ("int32[n,T]",), dict(n=3, T=128, E=6, L=5), dict(n=1, T=7, E=3, L=1)),
    Case("BoTNet", botnet, ("float32[n,32*k,32*k,3]",),
         dict(n=2, k=3, classes=10), dict(n=1, k=2, classes=7), {"train": False}),
    Case("Mamba-2", mamba2, ("int32[n,N]",), dict(n=2, N=320, L=5, V=101), dict(n=1, N=64, L=1, V=13)),
]  # fmt: skip
PACKAGES = {"VGG-16": "flaxmodels", "ResNet-50": "flaxmodels", "TNT": "transformer_in_transformer_flax",
            "NanoMoE": "nano_moe", "BoTNet": "bottleneck_transformer_flax", "Mamba-2": "mamba2_jax"}  # fmt: skip
