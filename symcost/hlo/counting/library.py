"""Library calls say in their text what they compute: convolutions of cuDNN, products of cuBLAS, kernels with an estimate.

XLA takes -1 for most. Restored, a call counts what the operations it stands for would: the product by the rules of
:mod:`symcost.hlo.counting.rules`, and per element those of every bias, addend and activation fused behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from symcost.hlo.counting.rules import Count, convolution
from symcost.hlo.reading.ir import Instruction
from symcost.hlo.reading.shapes import Shape
from symcost.hlo.reading.text import integers

_ESTIMATE = re.compile(r'"cost_estimate"\s*:\s*\{([^{}]*)\}')
_FIELD = re.compile(r'"(\w+)"\s*:\s*"?(\d+)"?')
_LIST = re.compile(r'"(\w+)"\s*:\s*\[([^\]]*)\]')
_ACTIVATION = re.compile(r'"activation_mode"\s*:\s*"(\w+)"')
_EPILOGUE = re.compile(r'"epilogue"\s*:\s*"(\w+)"')
_BETA = re.compile(r'"beta"\s*:\s*(\d+)')
BEHIND = "custom-call epilogue"
"""In the place of an opcode: what is fused behind a product."""
_GELU, _SILU = (8, 1), (4, 1)
FUSED: dict[str, Count] = {
    "": (0, 0), "kNone": (0, 0), "kRelu": (1, 0), "kRelu6": (1, 0), "kElu": (2, 1), "kLeakyRelu": (3, 0),
    "DEFAULT": (0, 0), "BIAS": (1, 0), "RELU": (1, 0), "BIAS_RELU": (2, 0), "GELU": _GELU, "BIAS_GELU": (9, 1),
    "GELU_AUX": _GELU, "BIAS_GELU_AUX": (9, 1), "SILU": _SILU, "BIAS_SILU": (5, 1),
}  # fmt: skip
"""Operations and transcendentals per element of what is fused behind a product, as a program writes it.

XLA fuses a GELU where it reads the one with a tanh: ``x * 0.5 * (1 + tanh(c * (x + 0.044715 * x * x * x)))``.
"""
CONVOLUTIONS = {"__cudnn$convForward", "__cudnn$convBiasActivationForward", "__cudnn$convBackwardInput",
                "__cudnn$convBackwardFilter"}  # fmt: skip
PRODUCTS = {"__cublas$gemm", "__cublas$lt$matmul"}


SELECTION, IN_TILES = "TopK", ":T("
WITHOUT_WORK = {SELECTION, "__gpu$TopK", "xla_ffi_python_cpu_callback", "xla_ffi_python_gpu_callback"}
"""A selection, for which XLA takes nothing where it is an operation of its own; a look at values by the host."""


@dataclass(frozen=True)
class Restored:
    """What a custom call computes as far as its text tells.

    A product or kernel, what is done to every element behind it, and the name of what the text does not tell, if anything.
    """

    count: Count = (0, 0)
    behind: Count = (0, 0)
    unknown: str = ""


def restored(i: Instruction, operands: Sequence[Shape]) -> Restored:
    """What a custom call computes. A product with something strange behind it is still a product."""
    own, target = estimate(i), i.custom_call_target
    if own is not None:
        return Restored(own[:2])
    if target in CONVOLUTIONS:
        return _convolution(i, operands)
    if target in PRODUCTS:
        return _product(i, operands)
    return Restored(unknown="" if target in WITHOUT_WORK else target)


def taken(i: Instruction, operands: Sequence[Shape], stated: bool) -> tuple[int, int, int]:
    """(flops, transcendentals, bytes) that XLA takes for a call, -1 where it knows none: where ``stated``, what its author says.

    Compilers of TPUs, whose arrays lie in tiles, take a selection for a comparison of each element with each that is selected.
    """
    known = estimate(i) if stated else None
    if known is None and i.custom_call_target == SELECTION and IN_TILES in (chosen := i.shape.first()).layout:
        return operands[0].elements * chosen.dims[-1], 0, -1
    return known or (-1, 0, -1)


def estimate(i: Instruction) -> tuple[int, int, int] | None:
    """(flops, transcendentals, bytes) that the author of a kernel states for it; what is not stated is 0."""
    text = i.backend_config.replace('\\"', '"') if "cost_estimate" in i.tail else ""
    statement = _ESTIMATE.search(text)
    if statement is None:
        return None
    stated = {name: int(value) for name, value in _FIELD.findall(statement[1])}
    return stated.get("flops", 0), stated.get("transcendentals", 0), stated.get("bytes_accessed", 0)


def _convolution(i: Instruction, operands: Sequence[Shape]) -> Restored:
    """The forward convolution that the call is, or is a gradient of: the same taps in all three."""
    result = i.shape.first()
    lhs, rhs, out = {
        "__cudnn$convBackwardInput": (result, operands[1], operands[0]),
        "__cudnn$convBackwardFilter": (operands[0], result, operands[1]),
    }.get(i.custom_call_target, (operands[0], operands[1], result))
    extra = max(len(operands) - 2, 0)  # a bias, an addend
    return _with_fused(i, _ACTIVATION, convolution(i, lhs, rhs, out), extra)


def _product(i: Instruction, operands: Sequence[Shape]) -> Restored:
    """2 * N * (product of the contracted sizes of the left operand), by the dimension numbers in its configuration."""
    config = i.backend_config.replace('\\"', '"')
    lists = {name: integers(value) for name, value in _LIST.findall(config)}
    if "lhs_contracting_dimensions" not in lists:
        return Restored(unknown=i.custom_call_target)
    width = prod(operands[0].dims[d] for d in lists["lhs_contracting_dimensions"])
    beta = _BETA.search(config)
    added = beta is not None and beta[1] != "0"
    return _with_fused(i, _EPILOGUE, 2 * width * i.shape.first().elements, int(added))


def _with_fused(i: Instruction, sign: re.Pattern[str], product: int, added: int) -> Restored:
    """The product, so many additions, and what its configuration says is done to every element of it."""
    match = sign.search(i.backend_config.replace('\\"', '"'))
    name = match[1] if match else ""
    flops, transcendentals = FUSED.get(name, (0, 0))
    elements = i.shape.first().elements
    return Restored((product, 0), ((flops + added) * elements, transcendentals * elements),
                    "" if name in FUSED else f"{name} behind {i.custom_call_target}")  # fmt: skip
