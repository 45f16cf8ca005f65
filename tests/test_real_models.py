"""Models that others published, lifted and certified; totals of ResNet-50 against torchvision's published figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import flaxmodels
import pytest
from effort import needs
from flax import nnx

from symcost.tracing.face import trace


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


ROWS: dict[str, tuple[Callable[..., Any], str, dict[str, Any], dict[str, int]]] = {
    "VGG-16": (
        lambda: flaxmodels.VGG16(output="logits", pretrained=None, include_head=False, normalize=False),
        "float32[n,r,r,3]", {"train": False}, dict(n=2, r=97),
    ),
    "TNT": (tnt, "float32[n,16*k,16*k,3]", {}, dict(n=2, k=3, depth=6)),
    "NanoMoE": (nano_moe, "int32[n,T]", {}, dict(n=3, T=128, E=6, L=5)),
    "BoTNet": (botnet, "float32[n,32*k,32*k,3]", {"train": False}, dict(n=2, k=3, classes=10)),
    "Mamba-2": (mamba2, "int32[n,N]", {}, dict(n=2, N=320, L=5, V=101)),
}  # fmt: skip
PACKAGES = {"VGG-16": "flaxmodels", "TNT": "transformer_in_transformer_flax", "NanoMoE": "nano_moe",
            "BoTNet": "bottleneck_transformer_flax", "Mamba-2": "mamba2_jax"}  # fmt: skip


# The published TNT uses a layer that flax calls deprecated: its warning is about that package, not about symcost.
@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore:SelfAttention will be deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(PACKAGES[n], f"the row {n}")) for n in ROWS])
def test_the_closed_form_equals_a_fresh_trace_at_a_point_of_our_own(name: str) -> None:
    factory, spec, call, point = ROWS[name]
    costs = trace(factory, spec, call=call)
    assert costs.certificate.held_out
    assert not costs.withdrawn
    fixed = spec
    for symbol, value in point.items():
        fixed = fixed.replace("*" + symbol, f"*{value}") if "*" + symbol in fixed else fixed
        fixed = fixed.replace(f"[{symbol},", f"[{value},").replace(f",{symbol}", f",{value}")
    own = {symbol: point[symbol] for symbol in point if symbol in factory.__code__.co_varnames}
    concrete = trace(lambda: factory(**own), fixed, call=call)
    for convention in ("textbook", "full", "xla"):
        assert costs.subs(**point).total(convention) == concrete.total(convention)


def test_resnet_50_in_batch_resolution_and_classes_gives_the_published_counts() -> None:
    # torchvision 0.29.2, ResNet50 weights metadata: 25,557,032 parameters, 4.089 GMACs at 1x3x224x224.
    costs = trace(
        lambda classes: flaxmodels.ResNet50(output="logits", pretrained=None, num_classes=classes),
        "float32[n,r,r,3]",
        call={"train": False},
    )
    at = costs.subs(n=1, r=224, classes=1000)
    assert at.params == 25_557_032
    assert at.macs == 4_089_184_256
