"""The picture of energy: computing and moving, block by block."""

from __future__ import annotations

from typing import Any

from symcost.estimate.questions.estimate import PROCESS
from symcost.estimate.time.energy import energy as energy_of
from symcost.formulas.units import physical
from symcost.report.pictures.blocks import as_float, cut, depth_of, in_order, labelled
from symcost.report.pictures.options import PictureOptions
from symcost.report.pictures.style import BLUE, GREEN, plain

MILLI = 1e3


def energy(figure: Any, costs: Any, asked: PictureOptions) -> None:
    """Joules of computing and of moving in each block, and their sums."""
    drawn = energy_of(costs, asked.on or PROCESS, asked.dtype, model=asked.model)
    depth = depth_of(costs.rows, asked.depth)
    parts = {block: [0.0, 0.0] for block in in_order(costs.rows, depth)}
    for step in drawn.steps:
        held, times = parts[cut(step.kernel.path, depth)], as_float(step.kernel.times, "a kernel")
        for i, part in enumerate((step.compute, step.movement)):
            held[i] += as_float(part, "a kernel") * times * MILLI
    names = [name for name, values in parts.items() if any(values)]
    compute, movement = as_float(drawn.compute, "the energy"), as_float(drawn.movement, "the energy")
    axes = figure.subplots()
    axes.bar(range(len(names)), [parts[name][0] for name in names], color=GREEN, label="computing")
    axes.bar(range(len(names)), [parts[name][1] for name in names], bottom=[parts[name][0] for name in names],
             color=BLUE, label="moving")  # fmt: skip
    labelled(axes, costs.rows, depth, names)
    axes.set_ylabel("millijoules")
    axes.set_ylim(bottom=0)
    whole = physical(drawn.joules, "J")
    plain(axes, f"{drawn.device.title}, {drawn.dtype}: {whole}, {movement / (compute + movement):.0%} of it moving")
    axes.legend(frameon=False, fontsize="small")
