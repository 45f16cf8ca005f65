"""Convolutions: ``conv_general_dilated``, which also carries transposed convolutions and both gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symcost.errors import RuleError
from symcost.rules.base import Array, Facts, Op, Work, product, rule
from symcost.window import positions_inside


def _conv_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    numbers = params["dimension_numbers"]
    lhs_axes, rhs_axes, out_axes = (tuple(s)[2:] for s in (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec))
    inside = tuple(
        positions_inside(
            size=ins[0].shape[lhs_axes[d]],
            k=ins[1].shape[rhs_axes[d]],
            out=outs[0].shape[out_axes[d]],
            s=params["window_strides"][d],
            lo=params["padding"][d][0],
            d=params["rhs_dilation"][d],
            lhs_d=params["lhs_dilation"][d],
        )
        for d in range(len(out_axes))
    )
    dilated = tuple(step != 1 for step in params["lhs_dilation"])
    static = (dilated, lhs_axes, rhs_axes, out_axes, numbers.rhs_spec[1], numbers.out_spec[:2])
    return Facts(static=static, sizes={"inside": inside})


@rule("conv_general_dilated", extract=_conv_facts)
def conv_general_dilated(op: Op) -> Work:
    """``macs = n_o c_o (c_i/g) prod(k * places)``, ``padding_macs = macs - n_o c_o (c_i/g) prod(inside)``.

    ``n_o`` is the output's batch (the input's over the batch groups), ``c_i/g`` the kernel's input features.
    ``places`` is the output length, padding included. Where the input is dilated (a strided transposed
    convolution, the input gradient of a strided one) it is the input length: every input element meets every
    tap once, so ``macs = k_h k_w h_i w_i c_i c_o``, holes are never counted, and ``padding_macs`` are the
    products that land in the cropped border, the mirror image of padding.
    """
    dilated, lhs_axes, rhs_axes, out_axes, rhs_features, out_batch_features = op.facts.static
    lhs, rhs = op.ins[:2]
    if lhs.dtype.startswith("complex"):
        raise RuleError(f"conv_general_dilated of {lhs.dtype} has no rule: convolve real and imaginary parts")
    pairs = product(op.out.shape[axis] for axis in out_batch_features) * rhs.shape[rhs_features]
    dense = product(
        rhs.shape[rhs_axes[d]] * (lhs.shape[lhs_axes[d]] if dilated[d] else op.out.shape[out_axes[d]])
        for d in range(len(out_axes))
    )
    macs = pairs * dense
    return Work(macs=macs, padding_macs=macs - pairs * product(op.facts.sizes["inside"]), materialises=True)
