"""The picture of latency: time and throughput over the batch."""

from __future__ import annotations

from typing import Any

from symcost.errors import SymcostError
from symcost.estimate.time.latency import latency as latency_of
from symcost.report.pictures.options import USUAL, PictureOptions
from symcost.report.pictures.style import BATCHES, BLUE, ORANGE, plain


def latency(figure: Any, costs: Any, asked: PictureOptions) -> None:
    """Milliseconds and examples per second over the batch."""
    batch, at = asked.batch, dict(asked.at or {})
    if batch not in costs.symbols:
        raise SymcostError(f"batch={batch!r} is no symbol of the table: it has {', '.join(costs.symbols) or 'none'}")
    if batch in at:
        raise SymcostError(f"{batch} is what the picture runs over: leave it out of the values")
    times = latency_of(costs, asked.on or USUAL, asked.dtype, model=asked.model)
    seconds = [float(times.value(**at, **{batch: size})) for size in BATCHES]
    rates = [size / each for size, each in zip(BATCHES, seconds, strict=True)]
    left = figure.subplots()
    right = left.twinx()
    left.plot(BATCHES, [1000 * each for each in seconds], color=BLUE, marker="o", markersize=4)
    right.plot(BATCHES, rates, color=ORANGE, marker="s", markersize=4)
    left.set(xscale="log", yscale="log", xlabel=f"batch {batch}")
    right.set_ylim(bottom=0, top=1.1 * max(rates))
    left.set_xscale("log", base=2)
    left.set_ylabel("latency, ms", color=BLUE)
    right.set_ylabel("throughput, examples per second", color=ORANGE)
    plain(left, f"{times.device.title or times.device.name}, {times.dtype} ({asked.model})")
    right.spines[["top"]].set_visible(False)
    right.spines[["right"]].set_visible(True)
