"""Convolutions: ``conv_general_dilated``, which also carries transposed convolutions and both gradients."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from symcost.formulas.form import Form, as_form, floor
from symcost.formulas.functions import positive_part
from symcost.formulas.windows.places import places_inside, same_before
from symcost.formulas.windows.window import positions_inside
from symcost.rules.base import Array, Facts, Op, Work, rule
from symcost.rules.complex_numbers import convolved_by_parts, is_complex


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
    static = (_counted(params), lhs_axes, rhs_axes, out_axes, numbers.rhs_spec[1], numbers.out_spec[:2])
    steps = tuple(zip(params["window_strides"], params["rhs_dilation"], params["lhs_dilation"], strict=True))
    kernel, output = (tuple(array.shape[a] for a in axes) for array, axes in ((ins[1], rhs_axes), (outs[0], out_axes)))
    origin = tuple(map(_origin, steps, kernel, output))
    return Facts(static=static, sizes={"inside": inside}, origin=origin if all(origin) else (),
                 beside=tuple(lo for lo, _ in params["padding"]))  # fmt: skip


def _origin(steps: tuple[int, int, int], k: int, out: int) -> tuple[Any, ...]:
    """What must be the same in every trace for the places inside to be derived along a dimension; empty: they cannot be."""
    s, d, lhs_d = steps
    if lhs_d > 1 < s:
        return ()
    by_taps = max(s, lhs_d) > 1 < d
    return (steps, min(k, out)) if by_taps else (steps,)


def _counted(params: Mapping[str, Any]) -> tuple[int, ...]:
    """Which two of input, kernel and output (0, 1, 2) meet place by place in the products that are counted.

    Kernel and output in a plain convolution, input and kernel in a transposed one, and in gradients of either whatever
    stands for those of the forward pass: the gradient of an input has that where the forward pass has its output, and the
    gradient of a kernel likewise. ``gradients`` names them, the first one first (:mod:`symcost.tracing.program.roles`).
    """
    place = [0, 1, 2]  # where the input, the kernel and the output of the forward pass stand
    for operand in reversed(params.get("gradients", ())):
        taken = ("lhs", "rhs").index(operand)
        place[taken], place[2] = place[2], place[taken]
    steps = (params["lhs_dilation"], params["rhs_dilation"], params["window_strides"])
    transposed = params.get("transposed", False) or any(step != 1 for step in steps[place[0]])
    return tuple(sorted(place[:2] if transposed else place[1:]))


Line = tuple[Form, Form, Form]
"""Lengths of input, kernel and output along a dimension."""


def _lines(op: Op) -> list[Line]:
    _, lhs_axes, rhs_axes, out_axes, *_ = op.facts.static
    arrays = ((op.ins[0], lhs_axes), (op.ins[1], rhs_axes), (op.out, out_axes))
    lengths = [[as_form(array.shape[axis]) for axis in axes] for array, axes in arrays]
    return list(zip(*lengths, strict=True))


def _same_padding(op: Op) -> tuple[tuple[Form, ...], ...]:
    """Padding before, by ``same`` padding: of the convolution itself, or of the one whose gradient it is.

    The gradient of a kernel has the output in its place and the steps exchanged; that of an input has the outputs of the
    forward pass for its input, and the padding that completes the kernel's.
    """
    paddings = []
    for (size, k, out), ((s, d, lhs_d), *_) in zip(_lines(op), op.facts.origin, strict=True):
        forward = same_before(k, out, size, s, d)
        of_kernel = same_before(out, k, size, d, s)
        of_input = d * (k - 1) - same_before(k, size, out, lhs_d, d)
        paddings.append((forward, of_kernel, of_input) if lhs_d == 1 else (of_input,))
    return tuple(paddings)


def _places_inside(op: Op) -> tuple[Form, ...]:
    """The places inside the input along each dimension, on maps smaller than the kernel too."""
    along = zip(_lines(op), op.facts.beside, op.facts.origin, strict=True)
    return tuple(_along(size, k, out, as_form(lo), *origin) for (size, k, out), lo, origin in along)


def _along(size: Form, k: Form, out: Form, lo: Form, steps: tuple[int, int, int], *_fixed: int) -> Form:
    """Of the two closed forms the one that reads better: tap by tap with a stride where taps and padding are numbers."""
    s, d, lhs_d = steps
    if s > 1 and lhs_d == 1 and k.number is not None and lo.number is not None:
        taps, before = int(k.number), int(lo.number)
        last = next((shift for r in range(s) if (shift := _shift(out, size, r, s)) is not None), None)
        if last is not None:
            return positions_inside_form(size, taps, s, before, last - before + d * (taps - 1) + 1, d)
    return places_inside(k, out, size, lo, s, d, lhs_d)


def _shift(out: Form, size: Form, r: int, s: int) -> int | None:
    """The shift ``a`` with ``out - 1 = floor((size + a)/s)`` that leaves the remainder ``r``, if there is one."""
    steps = (out - 1 - floor((size + r) / s)).number
    return None if steps is None else r + int(steps) * s


@rule("conv_general_dilated", extract=_conv_facts, derive=_places_inside, usual=_same_padding)
def conv_general_dilated(op: Op) -> Work:
    """``macs = n_o c_o (c_i/g) prod(places)``, ``padding_macs = macs - n_o c_o (c_i/g) prod(inside)``.

    ``n_o`` is the output's batch (the input's over the batch groups), ``c_i/g`` the kernel's input features. ``places`` is
    ``k`` times the output's length in a plain convolution, padding included, and ``k`` times the input's length in a
    transposed one: every input element meets every tap once, so ``macs = k_h k_w h_i w_i c_i c_o``, holes are never
    counted, and ``padding_macs`` are the products that land in the cropped border, the mirror image of padding. Gradients
    count the pairs of their forward pass. Without a role (:mod:`symcost.tracing.program.roles`) a dilated input makes it
    transposed.
    """
    counted, lhs_axes, rhs_axes, out_axes, rhs_features, out_batch_features = op.facts.static
    lhs, rhs = op.ins[:2]
    pairs = prod(op.out.shape[axis] for axis in out_batch_features) * rhs.shape[rhs_features]
    lengths = tuple(
        prod(array.shape[axis] for axis in axes)
        for array, axes in ((lhs, lhs_axes), (rhs, rhs_axes), (op.out, out_axes))
    )
    macs = pairs * prod(lengths[side] for side in counted)
    work = Work(macs=macs, padding_macs=macs - pairs * prod(op.facts.sizes["inside"]), materialises=True)
    return convolved_by_parts(op, work) if is_complex(lhs.dtype) else work


def positions_inside_form(size: Form, k: int, s: int = 1, lo: int = 0, hi: int = 0, d: int = 1) -> Form:
    """:func:`symcost.formulas.windows.window.positions_inside` in closed form, for every size that the window fits.

    Tap ``t`` begins at ``b = t d - lo`` and meets the input ``max(0, floor((size + a)/s) + 1 - ceiling(max(0, -b)/s))``
    times, with ``a = min(lo + hi - d(k - 1) - 1, -1 - b)``. The maximum is left out where the smallest size that the
    window fits makes it needless.

    >>> positions_inside_form(Form.symbol("w"), k=3, lo=1, hi=1)
    3*w - 2
    >>> positions_inside_form(Form.symbol("w"), k=5, lo=2, hi=2)
    3*w + 2*Max(0, w - 2) - 2
    """
    taps = []
    smallest = max(1, d * (k - 1) + 1 - lo - hi)
    for tap in range(k):
        begin = tap * d - lo
        reach = min(lo + hi - d * (k - 1) - 1, -1 - begin)
        lost = -(min(0, begin) // s) - 1  # outputs at the left that read padding, less one
        met = floor((size + reach) / s) - lost
        taps.append(met if (smallest + reach) // s >= lost else positive_part(met))
    return Form.total(taps)
