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

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symcost.system import interrupt as _interrupt

if _interrupt.is_program():
    _interrupt.watch()  # before anything else is imported

from symcost.costs.cost import CONVENTIONS, Cost
from symcost.costs.table import CostTable, Row
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
from symcost.formulas.symbols import evaluate, parse, symbols
from symcost.version import __version__ as __version__

if TYPE_CHECKING:
    from symcost import models
    from symcost.agreement.check import Check
    from symcost.costs.saved.face import load
    from symcost.costs.size import model_size, state_size
    from symcost.devices import Device, Energies, MemoryLevel, Rates, device
    from symcost.estimate.bytes.decode import decoding, kv_cache
    from symcost.estimate.bytes.fit import fits
    from symcost.estimate.bytes.memory import memory
    from symcost.estimate.bytes.patches import patched
    from symcost.estimate.bytes.training import training_memory
    from symcost.estimate.questions.sense import crossover, elasticity, leading_term, partial
    from symcost.estimate.questions.solve import solve
    from symcost.estimate.time.efficiency import Saturating
    from symcost.estimate.time.energy import energy
    from symcost.estimate.time.latency import latency, throughput
    from symcost.estimate.time.utilisation import mfu
    from symcost.formulas.equality import equal
    from symcost.layers.base import Layer
    from symcost.layers.face import table
    from symcost.layers.kinds.activation import (
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
    from symcost.layers.kinds.attention import Attention, LinearAttention, LinearCore
    from symcost.layers.kinds.combine import Branch, Identity, Repeat, Residual, Sequential
    from symcost.layers.kinds.conv import (
        Conv1d,
        Conv2d,
        Conv3d,
        ConvTranspose1d,
        ConvTranspose2d,
        ConvTranspose3d,
        DepthwiseConv2d,
    )
    from symcost.layers.kinds.embedding import (
        ClassToken,
        Embedding,
        PatchEmbedding,
        PositionEmbedding,
        TakeToken,
        TiedEmbedding,
    )
    from symcost.layers.kinds.gate import GLU, GatedMLP, SqueezeExcitation
    from symcost.layers.kinds.linear import Linear
    from symcost.layers.kinds.moe import MoE
    from symcost.layers.kinds.norm import BatchNorm, ChannelScale, GroupNorm, InstanceNorm, LayerNorm, RMSNorm
    from symcost.layers.kinds.pool import (
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
    from symcost.layers.kinds.recurrent import GRU, LSTM
    from symcost.layers.kinds.shape import Dropout, Flatten, ToTokens
    from symcost.layers.twins.base import build
    from symcost.referee.verdicts.face import verify
    from symcost.referee.verdicts.saved import load_verdict
    from symcost.referee.verdicts.verdict import Verdict
    from symcost.rules.base import Op, Work
    from symcost.rules.own import rule
    from symcost.sweeps.face import count, pareto, sweep
    from symcost.sweeps.question.question import load_space
    from symcost.sweeps.question.space import Space
    from symcost.tracing.face import trace, trace_function


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
    "Op",
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
    "Work",
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
    "rule",
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
"""Layers by the file of ``symcost.layers.kinds`` that defines them."""
_LAZY = {
    **dict.fromkeys(("trace", "trace_function"), "symcost.tracing.face"),
    "table": "symcost.layers.face",
    "verify": "symcost.referee.verdicts.face",
    "sweep": "symcost.sweeps.face",
    "Check": "symcost.agreement.check",
    "Verdict": "symcost.referee.verdicts.verdict",
    "Layer": "symcost.layers.base",
    "Space": "symcost.sweeps.question.space",
    "build": "symcost.layers.twins.base",
    "count": "symcost.sweeps.face",
    **dict.fromkeys(("Device", "Energies", "MemoryLevel", "Rates", "device"), "symcost.devices"),
    "Saturating": "symcost.estimate.time.efficiency",
    "energy": "symcost.estimate.time.energy",
    "fits": "symcost.estimate.bytes.fit",
    **dict.fromkeys(("latency", "throughput"), "symcost.estimate.time.latency"),
    "mfu": "symcost.estimate.time.utilisation",
    "memory": "symcost.estimate.bytes.memory",
    "solve": "symcost.estimate.questions.solve",
    **dict.fromkeys(("decoding", "kv_cache"), "symcost.estimate.bytes.decode"),
    **dict.fromkeys(("crossover", "elasticity", "leading_term", "partial"), "symcost.estimate.questions.sense"),
    "patched": "symcost.estimate.bytes.patches",
    "training_memory": "symcost.estimate.bytes.training",
    "equal": "symcost.formulas.equality",
    "load": "symcost.costs.saved.face",
    "load_space": "symcost.sweeps.question.question",
    "load_verdict": "symcost.referee.verdicts.saved",
    **dict.fromkeys(("model_size", "state_size"), "symcost.costs.size"),
    "pareto": "symcost.sweeps.face",
    **dict.fromkeys(("Op", "Work"), "symcost.rules.base"),
    "rule": "symcost.rules.own",
    **{name: f"symcost.layers.kinds.{family}" for family, names in _FAMILIES.items() for name in names.split()},
}
"""Public names that are imported when first asked for, and where they are defined."""


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
    from symcost.reading.nearest import folded, near, offered

    found = _ELSEWHERE.get(folded(name)) or near(name, __all__)
    return f": {offered(found, '')}" if found else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "models"})
