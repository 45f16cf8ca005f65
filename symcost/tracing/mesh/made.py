"""The lines of one device as a cost table with its domain, and its collectives as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symcost.costs.dtypes import item_bytes
from symcost.costs.mesh.collectives import Collective
from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.table import CostTable
from symcost.formulas.form import Form
from symcost.tracing.checking.certify import Certificate, LineTotals
from symcost.tracing.counting.structure import Line
from symcost.tracing.lifted import Converter, Lifted, Unknown
from symcost.tracing.mesh.domain import OnDevice
from symcost.tracing.mesh.instructions import COLLECTIVE

NO_PEAK = "the peak of one device has no closed form yet: ask a compiler with symcost verify --mesh"


def made(table: CostTable, plan: Plan, lines: Sequence[Line], domain: OnDevice, certificate: Certificate,
         residuals: Form | None = None) -> Sharded:  # fmt: skip
    """What was derived of the program of one device, whose whole ``table`` is known."""
    computing = [line for line in lines if line.record.key.source != COLLECTIVE]
    sending = [line for line in lines if line.record.key.source == COLLECTIVE]
    lifted = Lifted(computing, LineTotals(computing), _no_peaks(), residuals, certificate, domain.cut, domain.symbols,
                    Unknown({}, {}), {})  # fmt: skip
    device = lifted.table()
    device.parts = replace(
        device.parts, domain=domain, name=table.parts.name, kinds=table.parts.kinds, certificate=certificate
    )
    number = Converter()
    return Sharded(plan, device, tuple(_collective(line, number) for line in sending))


def _no_peaks() -> dict[tuple[str, str], Any]:
    return {(rule, unit): NO_PEAK for rule in ("liveness", "textbook") for unit in ("elements", "bytes")}


def _collective(line: Line, number: Converter) -> Collective:
    """The row of a collective in closed form."""
    record = line.record
    arrays = record.results
    sent: Any = sum((array.size * item_bytes(array.dtype) for array in arrays), start=0)
    group = record.op().size("group")
    return Collective(
        kind=record.key.op, axes=tuple(map(str, record.key.static)), size=number(group), bytes=number(sent),  # pyright: ignore[reportArgumentType]
        times=number(line.times[0]), path=line.path, phase=record.key.phase, dtype=arrays[0].dtype if arrays else "",
    )  # fmt: skip
