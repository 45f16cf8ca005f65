"""Bytes of training on one device of a plan: its share of every array, and ZeRO's share of what all of a data axis keep alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import sympy

from symcost.costs.cost import FULL, Count
from symcost.costs.dtypes import ASSUMED, BYTE, bits_of
from symcost.costs.mesh.plan import INPUTS, entering
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.bytes.shards import of_one
from symcost.estimate.bytes.states import states_of
from symcost.estimate.bytes.training import TrainingMemory, training_memory
from symcost.estimate.bytes.types import types_of
from symcost.estimate.pod.work import sizes_of_mesh
from symcost.reading.numerals import bare

Zero = Literal[0, 1, 2]


def check_zero(stage: Any) -> None:
    """Raise for what is no stage of ZeRO beside a plan.

    >>> check_zero(1)
    """
    if stage == 3 and not isinstance(stage, bool):
        raise SymcostError("zero=3 cuts parameters, which is a plan of its own: shard them along the axis of the data")
    if isinstance(stage, bool) or stage not in (0, 1, 2):
        raise SymcostError(f"zero={bare(stage)} must be 0, 1 or 2: what devices of the data axes share beside a plan")


def device_memory(
    costs: CostTable, optimizer: str = "sgd", *, dtype: str | None = None, zero: Zero = 0
) -> TrainingMemory:
    """Bytes that the fullest device of a plan keeps in training: parameters, gradients, optimizer state, residuals, state.

    Arrays are cut as the plan says, residuals as XLA's partitioner lays them. ``optimizer``: by name, its moments as
    :func:`symcost.training_memory` makes them. ``zero``: of the axes that cut inputs, those that do not cut a parameter have
    copies of it; from stage 1 on they share its optimizer state, from 2 on its gradient too (Rajbhandari et al.:
    ZeRO, arXiv:1910.02054, figure 1). Stage 3 cuts the parameters themselves: that is a plan.

    Raises:
        SymcostError: where the table has no plan or is not of training, or an option is none.
    """
    check_zero(zero)
    states, device = states_of(optimizer), costs.per_device
    whole = training_memory(costs, dtype=dtype)
    moments = _split(costs, lambda own: bits_of(dtype or ASSUMED), zero >= 1)
    width = types_of(device, dtype)
    given = width.weights if isinstance(width.weights, int) else None
    gradients = whole.gradients if zero < 2 else _split(costs, lambda own: given or bits_of(own or ASSUMED), True)
    return replace(whole, gradients=gradients, optimizer=states.bytes(moments))


def _split(costs: CostTable, bits: Any, shared: bool) -> Count:
    """Bytes of one number for every trained parameter on a device, shared by its copies or not."""
    by_copies: dict[Any, list[Any]] = {}
    for copies, dtype, number in _trained(costs):
        by_copies.setdefault(copies if shared else 1, []).append(number * sympy.Rational(bits(dtype), BYTE))
    parts = (of_one(sympy.expand(sympy.Add(*sizes)), copies) for copies, sizes in by_copies.items())
    total = sympy.Add(*parts)
    return int(total) if total.is_Integer else total


def _trained(costs: CostTable) -> Iterator[tuple[Any, str, Count]]:
    """For each trained parameter: how many devices along the axes of the data have copies of a part, its type and number."""
    plan, sizes, rows = costs.plan, sizes_of_mesh(costs), costs.per_device.rows
    assert plan is not None
    entered = [(entering(row), row) for row in rows if row.source == "input"]
    data = {
        axis
        for path, row in entered
        if path.startswith(INPUTS)
        for axes in plan.cut(path, len(row.out))
        for axis in axes
    }
    for path, row in entered:
        number = row.under(FULL).trainable
        if number != 0:
            own = {axis for axes in plan.cut(path, len(row.out)) for axis in axes}
            yield sympy.Mul(*(sizes[axis] for axis in sizes if axis in data - own)), row.dtype, number
