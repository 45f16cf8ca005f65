"""The kinds of pictures: what each one draws. Floats begin here, where exact numbers become places on paper."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from symcost.costs.dtypes import BYTE
from symcost.costs.exact import number, rational
from symcost.costs.size import param_bits
from symcost.devices import device
from symcost.errors import SymcostError
from symcost.estimate.bytes.types import types_of
from symcost.estimate.time.energy import energy as energy_of
from symcost.estimate.time.latency import Latency
from symcost.estimate.time.latency import latency as latency_of
from symcost.estimate.time.work import kernels
from symcost.formulas.units import physical
from symcost.reading.choices import LatencyModel
from symcost.report.pictures.style import BATCHES, BLUE, GREEN, GREY, ORANGE, plain

KILO = 1024
UNITS = ("KiB", "MiB", "GiB", "TiB")
DIGITS = 10_000
"""Numbers on an axis stay below this: a larger unit is taken."""
MOST = 24
NAMED = 3
ROOM = 1.6


def memory(figure: Any, costs: Any, on: Any, dtype: str | None, model: LatencyModel) -> None:
    """Above the largest input and output of each block, below its weights and their sum; limits of the device as lines."""
    types = types_of(costs, dtype)
    names, activations, weights = [], [], []
    sizes = list(param_bits(costs, types.weights))
    largest: dict[str, float] = {}
    for kernel in kernels(costs, "fused"):
        block = _block(kernel.path)
        largest[block] = max(
            largest.get(block, 0.0), _float(kernel.activation_bits(types.activations), "a block") / BYTE
        )
    for block in dict.fromkeys(_block(row.path) for row in costs.rows):
        held = (
            sum(_float(rational(rate) * size, "a block") for path, rate, size in sizes if _block(path) == block) / BYTE
        )
        if block in largest or held:
            names.append(block)
            activations.append(largest.get(block, 0.0))
            weights.append(held)
    upper, lower = figure.subplots(2, 1, sharex=True)
    places = range(len(names))
    sums = list(accumulate(weights))
    for axes, values, high, colour, what in (
        (upper, activations, max(activations), BLUE, "activations"), (lower, weights, sums[-1], ORANGE, "weights"),
    ):  # fmt: skip
        unit, one = _unit(high)
        axes.bar(places, [value / one for value in values], color=colour, width=0.8)
        limit = _limit(axes, on, what, high)
        if what == "weights":  # all blocks share their memory: the limit is that of the sum
            axes.step(places, [held / one for held in sums], where="mid", color=colour, linewidth=1)
        shown = "of each block, line: their sum so far" if what == "weights" else "of each block"
        plain(axes, f"{what} {shown}, {unit} ({dtype or types.activations or 'as traced'}){limit}")
    lower.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor", fontsize="x-small")


def _block(path: str) -> str:
    return path.split("/")[0] or "(itself)"


def _limit(axes: Any, on: Any, what: str, highest: float) -> str:
    """A line for the memory that holds them, where it is not far above all that is drawn, and what the line is."""
    if on is None:
        return ""
    where = device(on)
    level = where.memory_of(what)
    if level.size is None:
        return ""
    limit = float(level.size)
    if limit > 20 * highest:
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


def roofline(figure: Any, costs: Any, on: Any, dtype: str | None, model: LatencyModel) -> None:
    """Every kernel by operations per byte and operations per second, below the device's roof; area is its time.

    Those that lose most of it against the peak are named.
    """
    found = latency_of(costs, on, dtype, model=model)
    peak, bandwidth = float(found.device.operations(found.dtype)), float(found.device.bandwidth("activations"))
    axes = figure.subplots()
    points: dict[str, list[tuple[float, float, float]]] = {"compute": [], "memory": []}
    whole = _float(found.seconds, "the latency")
    for step in found.steps:
        done, seconds = _float(step.kernel.operations, "a kernel"), _float(step.seconds, "a kernel")
        times = _float(step.kernel.times, "a kernel")
        if done and seconds:
            points[step.bound].append((_float(step.intensity, "a kernel"), done * times / seconds, seconds / whole))
    every = [x for group in points.values() for x, _, _ in group]
    if not every:
        raise SymcostError(
            "no kernel of the table does an operation: draw its memory, which a roofline says nothing of"
        )
    ridge = peak / bandwidth
    left, right = min([*every, ridge]) / ROOM, max([*every, ridge]) * ROOM * ROOM
    axes.plot([left, ridge, right], [left * bandwidth, peak, peak], color=GREY, linewidth=1.5)
    for bound, colour in (("compute", ORANGE), ("memory", BLUE)):
        group = points[bound]
        if group:
            x, y, areas = zip(*group, strict=True)
            axes.scatter(x, y, s=[20 + 1500 * area for area in areas], color=colour, alpha=0.55, linewidths=0,
                         label=f"bound by {bound}: {sum(areas):.0%} of the time")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="operations per second")
    rates = [y for group in points.values() for _, y, _ in group]
    axes.set_ylim(min(rates) / ROOM, max(peak, *rates) * ROOM * ROOM)
    _name_worst(axes, found, peak)
    axes.annotate(
        physical(found.device.operations(found.dtype), "op/s"), (right, peak), ha="right", va="bottom", color=GREY
    )
    plain(axes, f"{found.device.title or found.device.name}, {found.dtype}: {physical(found.seconds, 's')} ({model})")
    _legend(axes, "lower right")


def _name_worst(axes: Any, found: Latency, peak: float) -> None:
    """The names of the kernels that lose most time against the peak, beside their points."""
    lost: dict[str, tuple[float, tuple[float, float]]] = {}
    for step in found.steps:
        done, times = (_float(amount, "a kernel") for amount in (step.kernel.operations, step.kernel.times))
        seconds = _float(step.seconds, "a kernel")
        if done and seconds:
            at = _float(step.intensity, "a kernel"), done * times / seconds
            lost[step.kernel.path or step.kernel.op] = seconds - done * times / peak, at
    worst = sorted(lost, key=lambda name: -lost[name][0])[:NAMED]
    for rank, name in enumerate(sorted(worst, key=lambda name: lost[name][1], reverse=True)):
        axes.annotate(name, lost[name][1], xytext=(0.62, 0.6 - 0.07 * rank), textcoords="axes fraction",
                      fontsize="x-small", va="center", color=GREY,
                      arrowprops={"arrowstyle": "-", "relpos": (0, 0.5), "color": GREY, "linewidth": 0.5})  # fmt: skip


def _legend(axes: Any, place: str) -> None:
    legend = axes.legend(loc=place, frameon=False, fontsize="small")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])


def latency(
    figure: Any, costs: Any, on: Any, dtype: str | None, at: Mapping[str, int], batch: str, model: LatencyModel
) -> None:
    """Milliseconds and examples per second over the batch."""
    if batch not in costs.symbols:
        raise SymcostError(f"batch={batch!r} is no symbol of the table: it has {', '.join(costs.symbols) or 'none'}")
    if batch in at:
        raise SymcostError(f"{batch} is what the picture runs over: leave it out of the values")
    found = latency_of(costs, on, dtype, model=model)
    seconds = [float(found.value(**at, **{batch: size})) for size in BATCHES]
    left = figure.subplots()
    right = left.twinx()
    left.plot(BATCHES, [1000 * each for each in seconds], color=BLUE, marker="o", markersize=4)
    right.plot(BATCHES, [n / each for n, each in zip(BATCHES, seconds, strict=True)], color=ORANGE, marker="s",
               markersize=4)  # fmt: skip
    left.set(xscale="log", yscale="log", xlabel=f"batch {batch}")
    right.set_ylim(bottom=0, top=1.1 * max(n / each for n, each in zip(BATCHES, seconds, strict=True)))
    left.set_xscale("log", base=2)
    left.set_ylabel("latency, ms", color=BLUE)
    right.set_ylabel("throughput, examples per second", color=ORANGE)
    plain(left, f"{found.device.title or found.device.name}, {found.dtype} ({model})")
    right.spines[["top"]].set_visible(False)
    right.spines[["right"]].set_visible(True)


def energy(figure: Any, costs: Any, on: Any, dtype: str | None, model: LatencyModel) -> None:
    """Joules of computing and of moving in each block, and their sums."""
    found = energy_of(costs, on or "horowitz-45nm", dtype, model=model)
    parts: dict[str, list[float]] = {}
    for step in found.steps:
        held = parts.setdefault(_block(step.kernel.path), [0.0, 0.0])
        times = _float(step.kernel.times, "a kernel")
        held[0] += _float(step.compute, "a kernel") * times * 1e3
        held[1] += _float(step.movement, "a kernel") * times * 1e3
    compute, movement = _float(found.compute, "the energy"), _float(found.movement, "the energy")
    if len(parts) > MOST:
        top = sorted(parts, key=lambda name: -sum(parts[name]))[:MOST]
        parts = {name: values for name, values in parts.items() if name in top}
    axes = figure.subplots()
    places = range(len(parts))
    axes.bar(places, [values[0] for values in parts.values()], color=GREEN, label="computing")
    axes.bar(places, [values[1] for values in parts.values()], bottom=[values[0] for values in parts.values()],
             color=BLUE, label="moving")  # fmt: skip
    axes.set_xticks(places, list(parts), rotation=60, ha="right", rotation_mode="anchor", fontsize="x-small")
    axes.set_ylabel("millijoules")
    axes.set_ylim(bottom=0)
    plain(
        axes,
        f"{found.device.title}, {found.dtype}: {physical(found.joules, 'J')}, {movement / (compute + movement):.0%} of it moving",
    )
    axes.legend(frameon=False, fontsize="small")


def _float(value: Any, what: str) -> float:
    return float(number(value, what))
