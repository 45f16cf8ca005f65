"""The roofline: each kernel by its arithmetic intensity under the device's roof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.costs.exact import number
from symcost.errors import SymcostError
from symcost.estimate.time.latency import Latency, latency
from symcost.estimate.time.work import Kernel
from symcost.formulas.units import physical
from symcost.report.pictures.blocks import as_float, tail
from symcost.report.pictures.options import USUAL, PictureOptions
from symcost.report.pictures.style import BLUE, GREY, ORANGE, plain

NAMED = 3
LONG = 48
"""Characters of a path that has room."""
ROOM = 1.6
COLOURS = {"compute": ORANGE, "memory": BLUE}


@dataclass(frozen=True)
class Point:
    """A kernel that does operations: its name, what it waits for, its place, its seconds and those lost against the peak."""

    name: str
    bound: str
    intensity: float
    rate: float
    seconds: float
    lost: float


def roofline(figure: Any, costs: Any, asked: PictureOptions) -> None:
    """Every kernel by operations per byte and operations per second, below the device's roof; area is its time.

    Those that lose most of it against the peak are named.
    """
    times = latency(costs, asked.on or USUAL, asked.dtype, model=asked.model)
    published = times.device.operations(times.device.computes_in(times.dtype))
    peak, bandwidth = float(published), float(times.device.bandwidth("activations"))
    points = _points(times, peak)
    if not points:
        raise SymcostError(
            "no kernel of the table does an operation: draw its memory, which a roofline says nothing of"
        )
    axes, ridge = figure.subplots(), peak / bandwidth
    every = [ridge, *(point.intensity for point in points)]
    left, right = min(every) / ROOM, max(every) * ROOM * ROOM
    axes.plot([left, ridge, right], [left * bandwidth, peak, peak], color=GREY, linewidth=1.5)
    _scatter(axes, points, times)
    axes.set(xscale="log", yscale="log", xlabel="operations per byte", ylabel="operations per second")
    rates = [point.rate for point in points]
    axes.set_ylim(min(rates) / ROOM, max(peak, *rates) * ROOM * ROOM)
    _name_worst(axes, points)
    axes.annotate(physical(published, "op/s"), (right, peak), ha="right", va="bottom", color=GREY)
    title = f"{times.device.title or times.device.name}, {times.dtype}: {physical(times.seconds, 's')} ({asked.model})"
    plain(axes, title)
    _legend(axes, "lower right")


def _points(found: Latency, peak: float) -> list[Point]:
    points = []
    for step in found.steps:
        done, seconds, times = (
            as_float(value, "a kernel") for value in (step.kernel.operations, step.seconds, step.kernel.times)
        )
        if done and seconds:
            points.append(Point(named(step.kernel), step.bound, as_float(step.intensity, "a kernel"), done * times / seconds,
                                seconds, seconds - done * times / peak))  # fmt: skip
    return points


def named(kernel: Kernel) -> str:
    """A kernel's module, of a long path the end, and the operation that it begins with.

    >>> named(Kernel(path="a/b", op="dot + add", operations=1, macs=1, weights=0, read=1, written=1))
    'a/b: dot'
    """
    shown = tail(kernel.path, LONG)
    return f"{shown}: {kernel.op.partition(' + ')[0]}" if shown else kernel.op


def _scatter(axes: Any, points: Sequence[Point], times: Latency) -> None:
    """The points by what they wait for; the legend has all of the time, that of kernels without a place too."""
    spent = {"compute": Fraction(0), "memory": Fraction(0), "": Fraction(0)}
    for step in times.steps:
        spent[step.bound if step.kernel.operations != 0 else ""] += number(step.seconds, "a kernel")
    whole = sum(spent.values())
    percent = dict(zip(spent, shares(list(spent.values())), strict=True))
    for bound, colour in COLOURS.items():
        group = [point for point in points if point.bound == bound]
        if group:
            axes.scatter([point.intensity for point in group], [point.rate for point in group],
                         s=[20 + 1500 * point.seconds / float(whole) for point in group], color=colour, alpha=0.55,
                         linewidths=0, label=f"bound by {bound}: {percent[bound]} % of the time")  # fmt: skip
    if spent[""]:
        axes.plot([], [], " ", label=f"not drawn, without operations: {percent['']} %")


def shares(parts: Sequence[Fraction]) -> list[int]:
    """Parts of a whole in per cent, whole numbers whose sum is 100: the largest rests are rounded up.

    >>> shares([Fraction(1), Fraction(1), Fraction(1)])
    [34, 33, 33]
    """
    whole = sum(parts)
    exact = [100 * part / whole for part in parts]
    floors = [int(share) for share in exact]
    rounded = sorted(range(len(parts)), key=lambda i: floors[i] - exact[i])[: 100 - sum(floors)]
    return [floor + (i in rounded) for i, floor in enumerate(floors)]


def _name_worst(axes: Any, points: Sequence[Point]) -> None:
    """The names of the kernels that lose most time against the peak, each with its own place."""
    worst = sorted(points, key=lambda point: -point.lost)[:NAMED]
    for rank, point in enumerate(sorted(worst, key=lambda point: (point.intensity, point.rate), reverse=True)):
        axes.annotate(point.name, (point.intensity, point.rate), xytext=(0.6, 0.6 - 0.07 * rank), textcoords="axes fraction",
                      fontsize="x-small", va="center", color=GREY,
                      arrowprops={"arrowstyle": "-", "relpos": (0, 0.5), "color": GREY, "linewidth": 0.5})  # fmt: skip


def _legend(axes: Any, place: str) -> None:
    legend = axes.legend(loc=place, frameon=False, fontsize="small")
    for handle in legend.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
