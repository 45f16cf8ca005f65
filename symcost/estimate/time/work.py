"""What a device has to do for a table: kernels with their operations, and the elements they read and write.

Three ways to cut a table into kernels, by name:

- ``whole``: one kernel, as the lectures have it: two operations for every MAC, all weights, and input and output of
  every operation whose result is kept; none for a program that keeps nothing.
- ``roofline``: one kernel per operation of the program, each through memory; all its FLOPs.
- ``fused``: an elementwise operation joins the kernel before it, so a chain of them goes through memory once; what it
  reads besides, such as the other side of a residual connection, is still read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import sympy

from symcost.costs.dtypes import ASSUMED, BYTE, bits_of, item_bytes, wider
from symcost.costs.exact import beyond, from_least, rational
from symcost.costs.rows import Row
from symcost.costs.size import Width
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.reading.choices import MODELS, LatencyModel
from symcost.reading.nearest import one_of

IMAGE = 4
"""Axes of a batch of images."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Operations, and elements of weights and activations moved, of one execution; it runs ``times`` times.

    ``kind`` is one of :data:`symcost.devices.device.KINDS`: processors reach very different shares of their peak in them.
    """

    path: str
    op: str
    operations: Any
    macs: Any
    weights: Any
    read: Any
    written: Any
    times: Any = 1
    kind: str = "product"
    held: tuple[tuple[str, str, Any], ...] = ()
    """Paths of the layers whose weights these are, with number types and elements: kernels that were joined have several."""
    moved_bits: Any = 0
    """Bits of what is read and written besides, each in its own number type, float32 where a table has none."""
    dtype: str = ""
    """Number type of its operations, the widest of its operands' types; empty where a table has none."""
    shapes: tuple[tuple[Any, ...], ...] = ()
    """Sizes of its first operand and of its result, of joined ones those of the first."""

    def weight_bits(self, of: Width) -> Any:
        """Bits of the weights, by those of one element of each path and number type."""
        return sympy.Add(*(rational(of(path, dtype)) * elements for path, dtype, elements in self.held))

    def activation_bits(self, dtype: str | None) -> Any:
        """Bits of what is read and written besides the weights: all in one number type, or each in its own."""
        return self.moved_bits if dtype is None else bits_of(dtype) * (self.read + self.written)

    @property
    def name(self) -> str:
        """Path and operation."""
        return f"{self.path} {self.op}".strip()


check_model = partial(one_of, known=MODELS, what="model of latency")
"""Raise for a model of latency that is none."""


def kernels(costs: CostTable, model: LatencyModel) -> list[Kernel]:
    """The kernels of a table under a model of execution."""
    check_model(model)
    if not isinstance(costs, CostTable):
        raise SymcostError(f"a {type(costs).__name__} is no table of costs: make one by sc.table or sc.trace")
    steps = list(_steps(costs.rows))
    if not steps:
        raise SymcostError("the table has no operation: there is nothing to estimate")
    if model == "whole":
        return [_whole(costs, steps)]
    if model == "roofline":
        return [step.kernel for step in steps]
    return [_joined(run) for run in _runs(steps)]


@dataclass(frozen=True)
class _Step:
    """One operation, and whether it begins a kernel: its result is one that a textbook keeps."""

    kernel: Kernel
    head: bool
    out: Any
    operands: tuple[tuple[Any, str], ...]
    dtype: str
    read_bits: Any
    written_bits: Any


def _steps(rows: Sequence[Row]) -> Iterator[_Step]:
    declared = _declared(rows)
    for row in rows:
        if row.source == "input":
            continue
        cost = row.cost
        # A single number is part of the program.
        operands = [(_elements(shape), dtype) for shape, dtype in zip(row.ins, _types(row), strict=True) if shape]
        weights = _found(declared.get(row.path, []), operands)
        held = sympy.Add(cost.params, cost.state, *(size for size, _ in weights))
        kept = weights[0][1] if weights else row.dtype
        read, written = sympy.Add(*(size for size, _ in operands)), cost.activations
        read_bits = sympy.Add(*(size * _bits(dtype) for size, dtype in operands))
        if _none(cost.macs) and _none(cost.flops) and _none(cost.transcendentals):
            if _none(written):
                continue  # a view: nothing happens
            # A look-up or a copy reads as much as it writes, not the whole table.
            entering = operands[0][1] if operands else row.dtype
            if _none(held):
                held, read, read_bits = 0, written, written * _bits(entering)
            else:
                held, weights = written, []
                read, read_bits = (read, read_bits) if row.source == "layer" else (0, 0)
        if row.source == "layer" and len(operands) == 1 and _none(held) and not _none(cost.macs):
            held = _tied(cost.macs, read, written)
        written_bits = _written_bits(row)
        mine = [(row.path, dtype, size) for size, dtype in weights] or [(row.path, kept, held)]
        kernel = Kernel(
            path=row.path, op=row.op, operations=cost.flops, macs=cost.macs,
            weights=held, read=read, written=written, times=row.times, kind=_kind(row, held),
            held=_of(*mine), moved_bits=sympy.Add(read_bits, written_bits),
            dtype=reduce(wider, _types(row), "") or row.dtype, shapes=(*row.ins[:1], row.out),
        )  # fmt: skip
        head = not _none(row.textbook.activations) or not _none(cost.macs)
        yield _Step(kernel, head, _elements(row.out), tuple(operands), row.dtype, read_bits, written_bits)


def _types(row: Row) -> tuple[str, ...]:
    return row.in_dtypes or ("",) * len(row.ins)


def _bits(dtype: str) -> int:
    return bits_of(dtype or ASSUMED) if not dtype.startswith("key<") else BYTE * item_bytes(dtype)


def _written_bits(row: Row) -> Any:
    """Bits of all results; where they are whole bytes the row counted them, whatever types several results have."""
    bits = _bits(row.dtype)
    return BYTE * row.cost.bytes_written if row.dtype and bits >= BYTE else bits * row.cost.activations


def _tied(macs: Any, read: Any, written: Any) -> Any:
    """Elements of the other factor of a product that names one operand: weights of an earlier layer, such as a tied table.

    ``r x k`` times ``k x c``: ``k c = (r k c)^2 / (r k  r c)``.
    """
    return sympy.cancel(sympy.sympify(macs, strict=True) ** 2 / (read * written))


def _kind(row: Row, weights: Any) -> str:
    """The kind of a kernel, by what an output takes.

    Over images, fewer products than the input has channels are a grouped convolution, more a window; products without
    weights are of two activations.
    """
    if _none(row.cost.macs):
        return "other"
    if _none(weights):
        return "batched"
    if len(row.out) < IMAGE or not row.ins or len(row.ins[0]) < IMAGE:
        return "product"
    channels = row.ins[0][1 if row.source == "layer" else -1]
    products = sympy.cancel(sympy.sympify(row.cost.macs, strict=True) / _elements(row.out))
    more = from_least(products - channels)
    return "grouped" if more.is_negative else "convolution" if more.is_positive else "product"


def _declared(rows: Sequence[Row]) -> dict[str, list[tuple[Any, str]]]:
    """Sizes and types of what a traced model declares at each path and does not change: operands like it are weights."""
    declared: dict[str, list[tuple[Any, str]]] = {}
    for row in rows:
        kept = row.op.startswith("param") or (row.op.startswith("state") and not row.written)
        if row.source == "input" and kept:
            declared.setdefault(row.path, []).append((_elements(row.out), row.dtype))
    return declared


def _found(declared: list[tuple[Any, str]], operands: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    """The operands that are declared, taken out of the others; each declaration stands for one operand."""
    matched = []
    for operand in list(operands):
        if operand in declared:
            declared.remove(operand)
            operands.remove(operand)
            matched.append(operand)
    return matched


def _whole(costs: CostTable, steps: Sequence[_Step]) -> Kernel:
    kept = [step.kernel for step in steps if step.head]
    if not kept:
        raise SymcostError(
            "the whole model's formula is of products and of results that are kept, and this program has none: take roofline "
            "or fused"
        )
    read, written, moved = (
        sympy.expand(sympy.Add(*(getattr(kernel, name) * kernel.times for kernel in kept)))
        for name in ("read", "written", "moved_bits")
    )
    cost = costs.total("textbook")
    return Kernel(
        path="", op="model", operations=cost.flops, macs=cost.macs,
        weights=cost.params, read=read, written=written, moved_bits=moved,
        held=_of(*((row.path, row.dtype, row.under("textbook").params) for row in costs.rows)),
        dtype=reduce(wider, (kernel.dtype for kernel in kept if not _none(kernel.macs)), ""),
    )  # fmt: skip


def _runs(steps: Sequence[_Step]) -> Iterator[list[_Step]]:
    """Each operation whose result is kept, with the elementwise ones behind it that run as often."""
    run: list[_Step] = []
    for step in steps:
        if run and (step.head or step.kernel.times != run[0].kernel.times):
            yield run
            run = []
        run.append(step)
    if run:
        yield run


def _joined(run: Sequence[_Step]) -> Kernel:
    """A run as one kernel: an elementwise operation finds one operand, as large as its result, in the registers."""
    first = run[0].kernel
    read, moved = [first.read], [run[0].read_bits]
    for before, step in itertools.pairwise(run):
        beside = beyond(step.kernel.read, step.out)
        if not _none(step.kernel.read) and not _none(beside):
            read.append(beside)
            found = step.out * _bits(_found_in_registers(before, step))
            moved.append(beyond(step.read_bits, found) if isinstance(beside, sympy.Max) else step.read_bits - found)
    return Kernel(
        path=first.path, op=" + ".join(dict.fromkeys(step.kernel.op for step in run)),
        operations=sympy.expand(sympy.Add(*(step.kernel.operations for step in run))), macs=first.macs,
        weights=sympy.expand(sympy.Add(*(step.kernel.weights for step in run))),
        read=sympy.expand(sympy.Add(*read)), written=run[-1].kernel.written, times=first.times, kind=first.kind,
        held=tuple(part for step in run for part in step.kernel.held),
        moved_bits=sympy.expand(sympy.Add(*moved, run[-1].written_bits)), dtype=first.dtype, shapes=first.shapes,
    )  # fmt: skip


def _found_in_registers(before: _Step, step: _Step) -> str:
    """The type of the operand that an elementwise operation takes from the one before it."""
    alike = [dtype for size, dtype in step.operands if size == step.out]
    return before.dtype if before.dtype in alike or not alike else alike[0]


def _of(*parts: tuple[str, str, Any]) -> tuple[tuple[str, str, Any], ...]:
    """Paths with their types and elements, without those that have none."""
    return tuple(part for part in parts if not _none(part[2]))


def _elements(shape: Sequence[Any]) -> Any:
    return sympy.Mul(*shape)


def _none(value: Any) -> bool:
    return bool(value == 0)
