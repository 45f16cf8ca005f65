"""The picture of memory: activations and weights of every block, as the lectures draw MobileNetV2."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from symcost.costs.dtypes import BYTE
from symcost.costs.exact import rational
from symcost.costs.size import param_bits
from symcost.devices import device
from symcost.estimate.bytes.types import types_of
from symcost.estimate.time.work import kernels
from symcost.report.pictures.blocks import as_float, cut, depth_of, in_order, labelled
from symcost.report.pictures.options import PictureOptions
from symcost.report.pictures.style import BLUE, GREY, ORANGE, plain

KILO = 1024
UNITS = ("KiB", "MiB", "GiB", "TiB")
DIGITS = 10_000
"""Numbers on an axis stay below this: a larger unit is taken."""
FAR = 20
"""A limit so many times above all that is drawn is told, and not drawn."""


def memory(figure: Any, costs: Any, asked: PictureOptions) -> None:
    """Above the largest input and output of each block, below its weights and their sum; limits of the device as lines."""
    types, depth = types_of(costs, asked.dtype), depth_of(costs.rows, asked.depth)
    largest: dict[str, float] = {}
    for kernel in kernels(costs, "fused"):
        block = cut(kernel.path, depth)
        moved = as_float(kernel.activation_bits(types.activations), "a block") / BYTE
        largest[block] = max(largest.get(block, 0.0), moved)
    held: dict[str, float] = {}
    for path, rate, size in param_bits(costs, types.weights):
        block = cut(path, depth)
        held[block] = held.get(block, 0.0) + as_float(rational(rate) * size, "a block") / BYTE
    names = [block for block in in_order(costs.rows, depth) if block in largest or held.get(block)]
    activations, weights = ([sizes.get(name, 0.0) for name in names] for sizes in (largest, held))
    sums = list(accumulate(weights))
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, values, high, colour, what in (
        (upper, activations, max(activations), BLUE, "activations"), (lower, weights, sums[-1], ORANGE, "weights"),
    ):  # fmt: skip
        unit, one = _unit(high)
        axes.bar(range(len(names)), [value / one for value in values], color=colour, width=0.8)
        limit = _limit(axes, asked.on, what, high)
        if what == "weights":  # all blocks share their memory: the limit is that of the sum
            axes.step(range(len(names)), [each / one for each in sums], where="mid", color=colour, linewidth=1)
        shown = "of each block, line: their sum so far" if what == "weights" else "of each block"
        plain(axes, f"{what} {shown}, {unit} ({asked.dtype or types.activations or 'as traced'}){limit}")
    labelled(lower, costs.rows, depth, names)


def _limit(axes: Any, on: Any, what: str, highest: float) -> str:
    """A line for the memory that holds them, where it is not far above all that is drawn, and what the line is."""
    if on is None:
        return ""
    where = device(on)
    level = where.memory_of(what)
    if level.size is None:
        return ""
    limit = float(level.size)
    if limit > FAR * highest:
        unit, one = _unit(limit)
        return f"; {where.name} has {limit / one:.4g} {unit} of {level.name}"
    unit, one = _unit(highest)
    axes.axhline(limit / one, color=GREY, linestyle="--", linewidth=1)
    return f"; dashed: {limit / one:g} {unit} of {level.name} in {where.name}"


def _unit(size: float) -> tuple[str, float]:
    """The unit in which so many bytes have few digits, and its bytes."""
    power = 0
    while size >= DIGITS * KILO ** (power + 1) and power + 1 < len(UNITS):
        power += 1
    return UNITS[power], KILO ** (power + 1)
