"""What one HLO instruction costs: the rules of XLA's `hlo_cost_analysis.cc` as data.

N is the number of elements of the (first) result. Units: floating-point operations and transcendental calls,
integer and boolean operations counted like floating-point ones, a multiply-add as 2. Where XLA's rule is odd,
ours is equally odd.

To add an opcode: one entry in a table below, or a short function under its opcode in `LEAF`; one row in
`tests/test_hlo_rules.py`, which compares with XLA by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TypeAlias

from symcost.hlo.counting.windows import valid_positions
from symcost.hlo.reading.ir import Instruction
from symcost.hlo.reading.shapes import Shape
from symcost.hlo.reading.text import HloError

Count: TypeAlias = tuple[int, int]  # flops, transcendentals
Leaf: TypeAlias = Callable[[Instruction, Sequence[Shape]], Count]
Regions: TypeAlias = Callable[[Instruction, Sequence[Shape]], tuple[tuple[str, int], ...]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# N flops each.
ELEMENTWISE = _words("""
    abs add and ceil clamp compare complex convert bitcast-convert count-leading-zeros divide floor imag
    is-finite maximum minimum mulhi multiply negate not or popcnt real reduce-precision remainder
    round-nearest-afz round-nearest-even select shift-left shift-right-arithmetic shift-right-logical sign
    stochastic-convert subtract xor
""")

# N transcendentals each. XLA files square roots and powers here too.
TRANSCENDENTAL = _words("""
    acos acosh asin asinh atan2 atanh cbrt cosh cosine erf exponential exponential-minus-one log
    log-plus-one logistic power rsqrt sine sinh sqrt tan tanh
""")

# Moving, naming and communicating data costs no arithmetic. XLA leaves batch-norm-* unimplemented, at zero.
FREE = _words("""
    add-dependency after-all all-gather all-gather-done all-gather-start all-reduce-done all-to-all
    async-done async-update batch-norm-grad batch-norm-inference batch-norm-training bitcast broadcast
    collective-broadcast collective-permute collective-permute-done collective-permute-start concatenate
    constant copy copy-done copy-start domain dynamic-reshape dynamic-slice dynamic-update-slice gather
    get-dimension-size get-tuple-element infeed iota opt-barrier outfeed pad parameter partition-id
    ragged-all-to-all recv recv-done reduce-scatter replica-id reshape reverse rng-get-and-update-state send
    send-done set-dimension-size slice topk transpose tuple
""")

# Targets that only annotate: shardings, memory spaces, where a collective that runs beside fusions begins and ends (on
# TPUs). XLA's float total still takes -1 for each.
ANNOTATIONS = _words("""
    Sharding SPMDFullToShardShape SPMDShardToFullShape annotate_device_placement MoveToHost MoveToDevice
    AsyncCollectiveStart AsyncCollectiveDone
    xla.sdy.FuncResultSharding xla.sdy.GlobalToLocalShape xla.sdy.LocalToGlobalShape xla.sdy.PropagationBarrier
    xla.sdy.ShardingGroup
""")

# Targets that only make or join buffers, on TPUs. XLA takes them for nothing.
BUFFERS = _words("AllocateBuffer ConcatBitcast")


# Products of arrays: what the textbooks count. A library call is one until shown otherwise.
PRODUCTS = _words("dot convolution ragged-dot scaled-dot custom-call")


def _dot(i: Instruction, operands: Sequence[Shape]) -> Count:
    """2 * N * (product of the contracted sizes of the left operand)."""
    return 2 * i.shape.elements * prod(operands[0].dims[d] for d in i.integers("lhs_contracting_dims")), 0


def _ragged_dot(i: Instruction, operands: Sequence[Shape]) -> Count:
    """A dot whose result lacks its leading dimensions, one for each group dimension of the right operand."""
    dims = list(i.shape.dims)
    for group in range(len(i.integers("rhs_group_dims"))):
        del dims[group]
    return 2 * prod(dims) * prod(operands[0].dims[d] for d in i.integers("lhs_contracting_dims")), 0


def convolution(i: Instruction, left: Shape, right: Shape, result: Shape) -> int:
    """FLOPs of a convolution: 2 (C_in / feature groups) C_out (batch / batch groups) (valid positions).

    Taps on padding or in dilation holes are not counted; `window_reversal` does not matter.
    """
    lhs, rhs, out = left.dims, right.dims, result.dims
    labels = i.dim_labels
    macs = lhs[labels.at("lhs", "f")] // i.feature_group_count * out[labels.at("out", "f")]
    macs *= lhs[labels.at("lhs", "b")] // i.batch_group_count
    for d, w in enumerate(i.window):
        size, kernel, length = lhs[labels.at("lhs", d)], rhs[labels.at("rhs", d)], out[labels.at("out", d)]
        macs *= valid_positions(size, length, kernel, w.stride, w.pad_low, w.lhs_dilate, w.rhs_dilate)
    return 2 * macs


def _fft(i: Instruction, operands: Sequence[Shape]) -> Count:
    """8 * N of the operand * product over lengths of floor(log2 length)."""
    logs = prod(length.bit_length() - 1 for length in i.integers("fft_length"))
    return 8 * logs * operands[0].first().elements, 0


def _sort(_: Instruction, operands: Sequence[Shape]) -> Count:
    """n * ceil(log2 n), n = all elements of the first operand, whatever the axis; comparator ignored."""
    n = operands[0].elements
    return n * max(n - 1, 0).bit_length(), 0


def _every(i: Instruction) -> int:
    """Elements of all results."""
    return sum(leaf.elements for leaf in i.shape.leaves())


LEAF: Mapping[str, Leaf] = {
    **dict.fromkeys(ELEMENTWISE, lambda i, _: (i.shape.elements, 0)),
    **dict.fromkeys(TRANSCENDENTAL, lambda i, _: (0, i.shape.elements)),
    **dict.fromkeys(FREE, lambda i, _: (0, 0)),
    "dot": _dot,
    "scaled-dot": _dot,
    "ragged-dot": _ragged_dot,
    "convolution": lambda i, operands: (convolution(i, operands[0], operands[1], i.shape), 0),
    "fft": _fft,
    "sort": _sort,
    "triangular-solve": lambda _, operands: (2 * operands[0].dims[-1] * operands[1].elements, 0),
    "cholesky": lambda _, operands: (operands[0].dims[-1] * operands[0].elements // 3, 0),
    # One flop for each element of every result: XLA assumes two replicas.
    **dict.fromkeys(["all-reduce", "all-reduce-start"], lambda i, _: (_every(i), 0)),
    # One transcendental for each, the generator's state included.
    **dict.fromkeys(["rng", "rng-bit-generator"], lambda i, _: (0, _every(i))),
}


# Opcodes that apply a region: (attribute naming the region, number of applications).


def _reduce_window(i: Instruction, operands: Sequence[Shape]) -> tuple[tuple[str, int], ...]:
    """(window size - 1) * N, padding not trimmed.

    Exception of XLA's: a single windowed, padded dimension of length L with padding L-1 on both sides and
    window 2L-1 is a reduction broadcast back over that dimension, N/L + L - 1.
    """
    n = i.shape.first().elements
    windowed = [d for d, w in enumerate(i.window) if w.size != 1]
    padded = [d for d, w in enumerate(i.window) if w.pad_low or w.pad_high]
    if len(windowed) == 1 and windowed == padded and not i.shape.is_tuple:
        w, length = i.window[windowed[0]], i.shape.dims[windowed[0]]
        if w.pad_low == w.pad_high == length - 1 and w.size == 2 * length - 1:
            return (("to_apply", n // length + length - 1),)
    return (("to_apply", (prod(w.size for w in i.window) - 1) * n),)


REGION: Mapping[str, Regions] = {
    # One application for each element that disappears (of the first operand, if there are several).
    "reduce": lambda i, operands: (("to_apply", operands[0].elements - i.shape.first().elements),),
    "reduce-window": _reduce_window,
    # For each source element (window size - 1) selections and one scatter.
    "select-and-scatter": lambda i, operands: (
        ("select", operands[1].elements * (prod(w.size for w in i.window) - 1)),
        ("scatter", operands[1].elements),
    ),
    # One application for each element of the first updates array (operands, then indices, then updates).
    "scatter": lambda i, operands: (("to_apply", operands[len(operands) // 2 + 1].elements),),
    "map": lambda i, _: (("to_apply", i.shape.elements),),
}


def leaf_rule(instruction: Instruction) -> Leaf:
    """The rule of an opcode that calls no computation. Errors: `HloError` naming opcode and instruction."""
    rule = LEAF.get(instruction.opcode)
    if rule is None:
        raise HloError(
            f"opcode {instruction.opcode!r} of instruction {instruction.name!r} has no rule:"
            " add one to symcost/hlo/counting/rules.py"
        )
    return rule
