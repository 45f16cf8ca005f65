"""Library calls say in their text what they compute: convolutions of cuDNN, products of cuBLAS, kernels with an estimate.

XLA takes -1 for each. Restored, a call counts what the operations it stands for would: the product by the rules of
:mod:`symcost.hlo.rules`, and one operation per element for every bias, addend and rectifier fused behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from .ir import Instruction
from .rules import Count, convolution
from .shapes import Shape
from .text import integers

_ESTIMATE = re.compile(r'"cost_estimate"\s*:\s*\{([^{}]*)\}')
_FIELD = re.compile(r'"(\w+)"\s*:\s*"?(\d+)"?')
_LIST = re.compile(r'"(\w+)"\s*:\s*\[([^\]]*)\]')
_ACTIVATION = re.compile(r'"activation_mode"\s*:\s*"(\w+)"')
_EPILOGUE = re.compile(r'"epilogue"\s*:\s*"(\w+)"')
_BETA = re.compile(r'"beta"\s*:\s*(\d+)')
SIMPLE = {"": 0, "kNone": 0, "kRelu": 1, "kRelu6": 1, "DEFAULT": 0, "BIAS": 1, "RELU": 1, "BIAS_RELU": 2}
"""Operations per element of what is fused behind a product; others (an exponential, a GELU) are not restored."""
CONVOLUTIONS = {"__cudnn$convForward", "__cudnn$convBiasActivationForward", "__cudnn$convBackwardInput",
                "__cudnn$convBackwardFilter"}  # fmt: skip
PRODUCTS = {"__cublas$gemm", "__cublas$lt$matmul"}


def restored(i: Instruction, operands: Sequence[Shape]) -> Count | None:
    """What a custom call computes, or nothing when its text does not tell."""
    own = estimate(i)
    if own is not None:
        return own[:2]
    if i.custom_call_target in CONVOLUTIONS:
        return _convolution(i, operands)
    return _product(i, operands) if i.custom_call_target in PRODUCTS else None


def estimate(i: Instruction) -> tuple[int, int, int] | None:
    """(flops, transcendentals, bytes) that the author of a kernel states for it; what is not stated is 0."""
    text = i.backend_config.replace('\\"', '"') if "cost_estimate" in i.tail else ""
    found = _ESTIMATE.search(text)
    if found is None:
        return None
    stated = {name: int(value) for name, value in _FIELD.findall(found[1])}
    return stated.get("flops", 0), stated.get("transcendentals", 0), stated.get("bytes_accessed", 0)


def _convolution(i: Instruction, operands: Sequence[Shape]) -> Count | None:
    """The forward convolution that the call is, or is a gradient of: the same taps in all three."""
    result = i.shape.first()
    lhs, rhs, out = {
        "__cudnn$convBackwardInput": (result, operands[1], operands[0]),
        "__cudnn$convBackwardFilter": (operands[0], result, operands[1]),
    }.get(i.custom_call_target, (operands[0], operands[1], result))
    fused = _fused(i, _ACTIVATION)
    if fused is None:
        return None
    extra = max(len(operands) - 2, 0) + fused  # a bias, an addend
    return convolution(i, lhs, rhs, out) + extra * result.elements, 0


def _product(i: Instruction, operands: Sequence[Shape]) -> Count | None:
    """2 * N * (product of the contracted sizes of the left operand), by the dimension numbers in its configuration."""
    lists = {name: integers(value) for name, value in _LIST.findall(i.backend_config.replace('\\"', '"'))}
    fused = _fused(i, _EPILOGUE)
    if "lhs_contracting_dimensions" not in lists or fused is None:
        return None
    result = i.shape.first()
    width = prod(operands[0].dims[d] for d in lists["lhs_contracting_dimensions"])
    beta = _BETA.search(i.backend_config.replace('\\"', '"'))
    added = beta is not None and beta[1] != "0"
    return (2 * width + fused + added) * result.elements, 0


def _fused(i: Instruction, sign: re.Pattern[str]) -> int | None:
    found = sign.search(i.backend_config.replace('\\"', '"'))
    return SIMPLE.get(found[1] if found else "")
