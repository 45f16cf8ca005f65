"""What a device has to do for a table: kernels with their operations, and the elements they read and write.

Three ways to cut a table into kernels, by name:

- ``whole``: one kernel, as the lectures have it: two operations for every MAC, all weights, and input and output of
  every operation whose result is kept.
- ``roofline``: one kernel per operation of the program, each through memory; all its FLOPs.
- ``fused``: an elementwise operation joins the kernel before it, so a chain of them goes through memory once; what it
  reads besides, such as the other side of a residual connection, is still read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from symcost.errors import SymcostError
from symcost.estimate.exact import rational
from symcost.table import CostTable, Row

MODELS = ("whole", "roofline", "fused")
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
    held: tuple[tuple[str, Any], ...] = ()
    """Paths of the layers whose weights these are, with their elements: kernels that were joined have several."""

    def weight_bits(self, of: Callable[[str], Fraction]) -> Any:
        """Bits of the weights, by those of one element at each path."""
        return sympy.Add(*(rational(of(path)) * elements for path, elements in self.held))

    @property
    def name(self) -> str:
        """Path and operation."""
        return f"{self.path} {self.op}".strip()


def kernels(costs: CostTable, model: str) -> list[Kernel]:
    """The kernels of a table under a model of execution."""
    if model not in MODELS:
        raise SymcostError(f"unknown model of latency {model!r}: use {', '.join(MODELS)}")
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


def _steps(rows: Sequence[Row]) -> Iterator[_Step]:
    declared = _declared(rows)
    for row in rows:
        if row.source == "input":
            continue
        cost = row.cost
        sizes = [_elements(shape) for shape in row.ins if shape]  # a single number is part of the program
        left = declared.get(row.path, [])
        weights = [sizes.pop(sizes.index(size)) for size in _found(left, sizes)]
        held = sympy.Add(cost.params, *weights)
        read, written = sympy.Add(*sizes), cost.activations
        if _none(cost.macs) and _none(cost.flops) and _none(cost.transcendentals):
            if _none(written):
                continue  # a view: nothing happens
            # A look-up or a copy reads as much as it writes, not the whole table.
            held, read = (written, read if row.source == "layer" else 0) if not _none(held) else (0, written)
        if row.source == "layer" and len(sizes) == 1 and _none(held) and not _none(cost.macs):
            held = _tied(cost.macs, read, written)
        made = Kernel(
            path=row.path, op=row.op, operations=cost.flops, macs=cost.macs,
            weights=held, read=read, written=written, times=row.times, kind=_kind(row, held),
            held=_of((row.path, held)),
        )  # fmt: skip
        yield _Step(made, not _none(row.textbook.activations) or not _none(cost.macs), _elements(row.out))


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
    beyond = products - channels
    return "grouped" if beyond.is_negative else "convolution" if beyond.is_positive else "product"


def _declared(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Sizes of the parameters that a traced model declares at each path; operands of that size are weights."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        if row.source == "input" and row.op.startswith("param"):
            found.setdefault(row.path, []).append(_elements(row.out))
    return found


def _found(declared: list[Any], sizes: Sequence[Any]) -> list[Any]:
    """The operands that are declared parameters; each declaration stands for one operand."""
    matched = []
    for size in sizes:
        if size in declared:
            declared.remove(size)
            matched.append(size)
    return matched


def _whole(costs: CostTable, steps: Sequence[_Step]) -> Kernel:
    kept = [step.kernel for step in steps if step.head]
    read, written = (
        sympy.expand(sympy.Add(*(getattr(kernel, name) * kernel.times for kernel in kept)))
        for name in ("read", "written")
    )
    cost = costs.total("textbook")
    return Kernel(
        path="", op="model", operations=cost.flops, macs=cost.macs,
        weights=cost.params, read=read, written=written,
        held=_of(*((row.path, row.textbook.params) for row in costs.rows)),
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
    first, rest = run[0].kernel, run[1:]
    beside = [step.kernel.read - step.out for step in rest if not _none(step.kernel.read)]
    read = sympy.expand(sympy.Add(first.read, *(size for size in beside if not size.is_nonpositive)))
    return Kernel(
        path=first.path, op=" + ".join(dict.fromkeys(step.kernel.op for step in run)),
        operations=sympy.expand(sympy.Add(*(step.kernel.operations for step in run))), macs=first.macs,
        weights=sympy.expand(sympy.Add(*(step.kernel.weights for step in run))),
        read=read, written=run[-1].kernel.written, times=first.times, kind=first.kind,
        held=tuple(part for step in run for part in step.kernel.held),
    )  # fmt: skip


def _of(*parts: tuple[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Paths with their elements, without those that have none."""
    return tuple((path, elements) for path, elements in parts if not _none(elements))


def _elements(shape: Sequence[Any]) -> Any:
    return sympy.Mul(*shape)


def _none(value: Any) -> bool:
    return bool(value == 0)
