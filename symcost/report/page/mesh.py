"""What each device of a plan's mesh does, for the page: what it holds and computes, what it sends, and the time of a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symcost.costs.mesh.collectives import communication
from symcost.costs.table import CostTable
from symcost.estimate.pod.step import step_time
from symcost.estimate.questions.quantities import QUANTITIES
from symcost.estimate.questions.setting import Setting
from symcost.formulas.measures import BYTES
from symcost.reading.numerals import assigned
from symcost.report.page.program import PageProgram, or_why

HELD = ("devices", "device_params", "device_state", "device_macs", "device_flops", "device_bytes")


def mesh(costs: CostTable, program: PageProgram, devices: Sequence[str]) -> dict[str, Any] | None:
    """Numbers of one device, each an instruction's number; nothing without a plan.

    ``steps``: by device the seconds of a step in the number types of the program, in parts, or why there are none.
    """
    if costs.plan is None:
        return None
    return {
        "axes": assigned(costs.plan.mesh),
        "held": list(_held(costs, program)),
        "sent": [
            {"name": f"{kind} along {' and '.join(axes)}", "value": program.add(size)}
            for (kind, axes), size in communication(costs.collectives).items()
        ],
        "steps": {name: or_why(lambda name=name: _step(costs, name, program)) for name in devices},
    }


def _held(costs: CostTable, program: PageProgram) -> Iterator[Mapping[str, Any]]:
    for name in HELD:
        known = QUANTITIES[name]
        value = or_why(lambda known=known: known(Setting(costs)))
        if not isinstance(value, str) and value != 0:
            yield {"name": known.title, "value": program.add(value), "bytes": known.unit == BYTES}


def _step(costs: CostTable, name: str, program: PageProgram) -> dict[str, Any]:
    step = step_time(costs, name)
    parts = {
        "computing": step.compute,
        "memory": step.memory,
        **{f"along {axes}": s for axes, s in step.communication.items()},
    }
    return {
        "seconds": program.add(step.seconds), "parts": [[part, program.add(value)] for part, value in parts.items()],
        "assumed": step.assumed,
    }  # fmt: skip
