"""symcost: exact, symbolic cost formulas of JAX and Flax models, certified against fresh traces.

>>> import symcost as sc
>>> n, d = sc.symbols("n d")
>>> sc.table(sc.Repeat(sc.Linear(c_o=d), "L"), (n, d)).macs
L*d**2*n

``table`` counts a network written as layers; ``trace`` and ``trace_function`` derive the formulas of real models,
``build`` makes a Flax module of layers and ``verify`` asks the compilers: these import jax on first use, everything else
works without it. ``count``, ``sweep`` and ``pareto`` answer over whole spaces of configurations.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import symcost.sweep
import symcost.symbols
import symcost.trace
import symcost.verify  # noqa: F401 - the same
from symcost.cost import CONVENTIONS, Cost
from symcost.errors import (
    DeviceError,
    DomainError,
    ExpressionError,
    LiftError,
    RuleError,
    ShapeError,
    SpaceError,
    SpecError,
    SymcostError,
    TraceError,
)
from symcost.symbols import evaluate, parse
from symcost.table import CostTable, Row

if TYPE_CHECKING:
    from symcost import models
    from symcost.devices import Device, Energies, MemoryLevel, Rates, device
    from symcost.equality import equal
    from symcost.estimate.decode import decoding, kv_cache
    from symcost.estimate.efficiency import Saturating
    from symcost.estimate.energy import energy
    from symcost.estimate.fit import fits
    from symcost.estimate.latency import latency, throughput
    from symcost.estimate.memory import memory
    from symcost.estimate.patches import patched
    from symcost.estimate.sense import crossover, elasticity, leading_term, partial
    from symcost.estimate.solve import solve
    from symcost.estimate.training import training_memory
    from symcost.estimate.utilisation import mfu
    from symcost.layers.activation import (
        ELU,
        GELU,
        HardSigmoid,
        HardSwish,
        LeakyReLU,
        Mish,
        ReLU,
        ReLU6,
        Sigmoid,
        SiLU,
        Softmax,
        Tanh,
    )
    from symcost.layers.attention import Attention, LinearAttention, LinearCore
    from symcost.layers.base import Layer
    from symcost.layers.combine import Branch, Identity, Repeat, Residual, Sequential
    from symcost.layers.conv import (
        Conv1d,
        Conv2d,
        Conv3d,
        ConvTranspose1d,
        ConvTranspose2d,
        ConvTranspose3d,
        DepthwiseConv2d,
    )
    from symcost.layers.embedding import (
        ClassToken,
        Embedding,
        PatchEmbedding,
        PositionEmbedding,
        TakeToken,
        TiedEmbedding,
    )
    from symcost.layers.face import table
    from symcost.layers.gate import GLU, GatedMLP, SqueezeExcitation
    from symcost.layers.linear import Linear
    from symcost.layers.moe import MoE
    from symcost.layers.norm import BatchNorm, ChannelScale, GroupNorm, InstanceNorm, LayerNorm, RMSNorm
    from symcost.layers.pool import (
        AdaptiveAvgPool2d,
        AvgPool1d,
        AvgPool2d,
        AvgPool3d,
        GlobalAvgPool,
        GlobalMaxPool,
        MaxPool1d,
        MaxPool2d,
        MaxPool3d,
    )
    from symcost.layers.recurrent import GRU, LSTM
    from symcost.layers.shape import Dropout, Flatten, ToTokens
    from symcost.saved.face import load
    from symcost.size import model_size, state_size
    from symcost.sweep.face import count, pareto, sweep
    from symcost.sweep.question import load_space
    from symcost.sweep.space import Space
    from symcost.symbols import symbols
    from symcost.trace.face import trace, trace_function
    from symcost.twins.base import build
    from symcost.verify.face import verify
    from symcost.verify.saved import load_verdict
    from symcost.verify.verdict import Check, Verdict

__version__ = "0.1.0"

__all__ = [
    "AdaptiveAvgPool2d",
    "Attention",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm",
    "Branch",
    "CONVENTIONS",
    "ChannelScale",
    "Check",
    "ClassToken",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Cost",
    "CostTable",
    "DepthwiseConv2d",
    "Device",
    "DeviceError",
    "DomainError",
    "Dropout",
    "ELU",
    "Embedding",
    "Energies",
    "ExpressionError",
    "Flatten",
    "GELU",
    "GLU",
    "GRU",
    "GatedMLP",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNorm",
    "LSTM",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LiftError",
    "Linear",
    "LinearAttention",
    "LinearCore",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MemoryLevel",
    "Mish",
    "MoE",
    "PatchEmbedding",
    "PositionEmbedding",
    "RMSNorm",
    "Rates",
    "ReLU",
    "ReLU6",
    "Repeat",
    "Residual",
    "Row",
    "RuleError",
    "Saturating",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Space",
    "SpaceError",
    "SpecError",
    "SqueezeExcitation",
    "SymcostError",
    "TakeToken",
    "Tanh",
    "TiedEmbedding",
    "ToTokens",
    "TraceError",
    "Verdict",
    "build",
    "count",
    "crossover",
    "decoding",
    "device",
    "elasticity",
    "energy",
    "equal",
    "evaluate",
    "fits",
    "kv_cache",
    "latency",
    "leading_term",
    "load",
    "load_space",
    "load_verdict",
    "memory",
    "mfu",
    "model_size",
    "models",
    "pareto",
    "parse",
    "partial",
    "patched",
    "solve",
    "state_size",
    "sweep",
    "symbols",
    "table",
    "throughput",
    "trace",
    "trace_function",
    "training_memory",
    "verify",
]

_VERBS = {
    "symcost.sweep": "symcost.sweep.face",
    "symcost.symbols": "symcost.symbols",
    "symcost.table": "symcost.layers.face",
    "symcost.trace": "symcost.trace.face",
    "symcost.verify": "symcost.verify.face",
}
"""Modules named like the one verb they hold, and where that verb is defined."""
_FAMILIES = {
    "activation": "ELU GELU HardSigmoid HardSwish LeakyReLU Mish ReLU ReLU6 SiLU Sigmoid Softmax Tanh",
    "attention": "Attention LinearAttention LinearCore",
    "combine": "Branch Identity Repeat Residual Sequential",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d DepthwiseConv2d",
    "embedding": "ClassToken Embedding PatchEmbedding PositionEmbedding TakeToken TiedEmbedding",
    "gate": "GLU GatedMLP SqueezeExcitation",
    "linear": "Linear",
    "moe": "MoE",
    "norm": "BatchNorm ChannelScale GroupNorm InstanceNorm LayerNorm RMSNorm",
    "pool": "AdaptiveAvgPool2d AvgPool1d AvgPool2d AvgPool3d GlobalAvgPool GlobalMaxPool MaxPool1d MaxPool2d MaxPool3d",
    "recurrent": "GRU LSTM",
    "shape": "Dropout Flatten ToTokens",
}
"""Layers by the file of ``symcost.layers`` that defines them."""
_LAZY = {
    "Check": "symcost.verify.verdict",
    "Verdict": "symcost.verify.verdict",
    "Layer": "symcost.layers.base",
    "Space": "symcost.sweep.space",
    "build": "symcost.twins.base",
    "count": "symcost.sweep.face",
    **dict.fromkeys(("Device", "Energies", "MemoryLevel", "Rates", "device"), "symcost.devices"),
    "Saturating": "symcost.estimate.efficiency",
    "energy": "symcost.estimate.energy",
    "fits": "symcost.estimate.fit",
    **dict.fromkeys(("latency", "throughput"), "symcost.estimate.latency"),
    "mfu": "symcost.estimate.utilisation",
    "memory": "symcost.estimate.memory",
    "solve": "symcost.estimate.solve",
    **dict.fromkeys(("decoding", "kv_cache"), "symcost.estimate.decode"),
    **dict.fromkeys(("crossover", "elasticity", "leading_term", "partial"), "symcost.estimate.sense"),
    "patched": "symcost.estimate.patches",
    "training_memory": "symcost.estimate.training",
    "equal": "symcost.equality",
    "load": "symcost.saved.face",
    "load_space": "symcost.sweep.question",
    "load_verdict": "symcost.verify.saved",
    **dict.fromkeys(("model_size", "state_size"), "symcost.size"),
    "pareto": "symcost.sweep.face",
    "trace_function": "symcost.trace.face",
    **{name: f"symcost.layers.{family}" for family, names in _FAMILIES.items() for name in names.split()},
}
"""Public names that are imported when first asked for, and where they are defined."""


class _Verb(ModuleType):
    """A module that can be called: ``sc.trace(...)`` is the verb, ``symcost.trace.face`` stays importable."""

    @property
    def _verb(self) -> Any:
        return getattr(import_module(_VERBS[self.__name__]), self.__name__.rpartition(".")[2])

    @property
    def __signature__(self) -> Any:
        from inspect import signature

        return signature(self._verb)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._verb(*args, **kwargs)


for _name in _VERBS:
    sys.modules[_name].__class__ = _Verb


def __getattr__(name: str) -> Any:
    """Layers, reference networks and the jax half, imported when they are first asked for."""
    if name == "models":
        return import_module("symcost.models")
    if name not in _LAZY:
        raise AttributeError(f"module 'symcost' has no attribute {name!r}{_nearest(name)}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


_ELSEWHERE = {
    "dense": ["Linear"], "fullyconnected": ["Linear"], "embed": ["Embedding"], "swish": ["SiLU"],
    "multiheadattention": ["Attention"], "multiheaddotproductattention": ["Attention"], "selfattention": ["Attention"],
    "conv": ["Conv2d", "Conv1d", "Conv3d"], "maxpool": ["MaxPool2d"], "avgpool": ["AvgPool2d"], "concat": ["Branch"],
}  # fmt: skip
"""What layers are called in other libraries."""


def _nearest(name: str) -> str:
    """The public names that were perhaps meant."""
    from symcost.nearest import folded, near

    found = _ELSEWHERE.get(folded(name)) or near(name, __all__)
    return f": did you mean {' or '.join(found)}?" if found else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "models"})
