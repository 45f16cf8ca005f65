"""What this machine reaches: every block timed, the time of each kind of kernel fitted as a sum, and the device entry.

``seconds = operations / rate + weight bytes / rate + activation bytes / rate + overhead``, all rates at least 0, with the
least sum of squared relative errors over the blocks (non-negative least squares; Lawson and Hanson, 1974).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.devices import Device, Rates
from symcost.devices.read import parsed
from symcost.estimate.calibration.blocks import TIMES, Block, blocks
from symcost.estimate.calibration.timing import Timed, in_rounds, timed
from symcost.estimate.time.work import Kernel, kernels
from symcost.layers.table import table

FLOAT32 = 4
COPIES = (2**20, 2**21, 2**22)
"""Elements: beyond the caches of a core, not so large that new pages are timed."""
LASTING = Fraction(1, 10**4)
"""Seconds: of a shorter block the noise of timing may make a rate that no processor has."""
NEGLIGIBLE = 1e-6
"""Of a block's time: a nanosecond, which is all that clocks tell, of a millisecond."""
PARTS = ("operations", "weights", "activations", "overhead")
Part = tuple[str, str]
"""A kind of kernel, and one of the parts of its time."""


@dataclass(frozen=True)
class Measurement:
    """What a block adds to a network: seconds, and operations, bytes and kernels by kind and part."""

    name: str
    amounts: Mapping[Part, int]
    seconds: Fraction

    @property
    def operations(self) -> int:
        """Of all kinds."""
        return sum(amount for (_, part), amount in self.amounts.items() if part == "operations")


def measurements(seconds: float, on_kernel: Callable[[str], None] = lambda said: None) -> list[Measurement]:
    """Every block timed for ``seconds``, and copies; together with compiling under a minute."""
    import jax.numpy as jnp

    waiting: list[tuple[Block, list[Timed]]] = []
    for block in blocks():
        on_kernel(block.name)
        waiting.append((block, [timed(block.network(times), block.x) for times in TIMES]))
    copies = [Timed(lambda x: x + 1, jnp.ones(size)) for size in COPIES]
    in_rounds([*(each for _, pair in waiting for each in pair), *copies], seconds, on_kernel)
    measured = [each for block, pair in waiting if (each := _added(block, *pair)) is not None]
    for size, each in zip(COPIES, copies, strict=True):
        amounts = {
            ("other", "activations"): 2 * FLOAT32 * size,
            ("other", "operations"): size,
            ("other", "overhead"): 1,
        }
        measured.append(Measurement(f"copy {size}", amounts, each.seconds))
    return measured


def _added(block: Block, few: Timed, many: Timed) -> Measurement | None:
    """What one more block adds: the difference of the two networks, by the blocks that are more; None where noise hides it."""
    seconds = many.seconds - few.seconds
    if seconds <= 0:
        return None
    more = TIMES[1] - TIMES[0]
    small, large = (amounts(kernels(table(block.network(times), block.x), "fused")) for times in TIMES)
    added = {part: (amount - small.get(part, 0)) // more for part, amount in large.items()}
    return Measurement(block.name, added, seconds / more)


def amounts(run: Sequence[Kernel]) -> dict[Part, int]:
    """Operations, bytes of weights and activations in float32, and kernels, by kind."""
    sums: dict[Part, int] = {}
    for kernel in run:
        one = (kernel.operations, FLOAT32 * kernel.weights, FLOAT32 * (kernel.read + kernel.written), 1)
        for part, amount in zip(PARTS, one, strict=True):
            at = kernel.kind, part
            sums[at] = sums.get(at, 0) + int(amount * kernel.times)
    return sums


def fitted(measured: Sequence[Measurement]) -> dict[Part, float]:
    """Seconds of one operation, byte or kernel, by kind and part; parts that take no time are left out.

    The solver's own rounding leaves parts of 1e-26 seconds where there is none, on some processors and not on others: a
    part that is less than ``NEGLIGIBLE`` of the time of every block is none.
    """
    import numpy as np
    from scipy.optimize import nnls

    parts = sorted({part for each in measured for part, amount in each.amounts.items() if amount})
    relative = np.array([[each.amounts.get(part, 0) / float(each.seconds) for part in parts] for each in measured])
    scale = relative.max(axis=0)
    shares, _ = nnls(relative / scale, np.ones(len(measured)))  # of the block of which the part takes the most
    return {
        part: float(share / most) for part, share, most in zip(parts, shares, scale, strict=True) if share > NEGLIGIBLE
    }


def entry(name: str, measured: Sequence[Measurement]) -> str:
    """The device as TOML: the best block that lasts is the peak, the fastest copy the bandwidth, the rates those fitted."""
    import jax

    place = jax.devices()[0]
    lasting = [each for each in measured if each.seconds >= LASTING] or [max(measured, key=lambda each: each.seconds)]
    peak = max(each.operations / each.seconds for each in lasting)
    copied = max(
        each.amounts["other", "activations"] / each.seconds for each in measured if each.name.startswith("copy")
    )
    lines = [
        f"[{name}]",
        f'title = "{place.device_kind} by {place.platform}, {os.cpu_count()} processors"',
        'kind = "measured"',
        f'source = "measured by symcost calibrate with jax {jax.__version__} in float32"',
        f"peak = {{ float32_flops = {round(peak)} }}",
        "",
        f"[{name}.memory.main]",
        f"bandwidth_b_per_s = {round(copied)}",
        'holds = ["weights", "activations"]',
    ]
    if size := _memory(place):
        lines.append(f"size_b = {size}")
    costs = fitted(measured)
    for kind in sorted({kind for kind, _ in costs}):
        lines += ["", f"[{name}.measured.{kind}]"]
        lines += [_rate(part, costs[kind, part]) for part in PARTS if (kind, part) in costs]
    return "\n".join(lines)


def _rate(part: str, each: float) -> str:
    """One line of the entry: what one operation, byte or kernel takes as a rate in whole units, or as nanoseconds."""
    if part == "overhead":
        return f"overhead_ns = {max(round(each * 10**9), 1)}"
    unit = "flops" if part == "operations" else "b_per_s"
    return f"{part}_{unit} = {max(round(1 / each), 1)}"


def errors(entry_: str, name: str, measured: Sequence[Measurement]) -> list[Fraction]:
    """How far the entry is off each block, ``predicted / measured - 1``."""
    host = parsed(entry_, "the entry")[name]
    return [_predicted(host, each) / each.seconds - 1 for each in measured]


def _predicted(host: Device, each: Measurement) -> Fraction:
    seconds = Fraction(0)
    for (kind, part), amount in each.amounts.items():
        rate = getattr(host.measured.get(kind, Rates()), part)
        if rate is not None:
            seconds += amount * rate if part == "overhead" else amount / rate
    return seconds


def _memory(place: Any) -> int | None:
    """Bytes of the memory that arrays live in, where the system says."""
    stats = place.memory_stats() if place.platform != "cpu" else None
    if stats:
        return stats.get("bytes_limit")
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in names else None
