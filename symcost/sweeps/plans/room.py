"""The space of plans of one table: sizes of the mesh whose product is the chips, batches of a step, and microbatches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.estimate.time.latency import examples
from symcost.reading.numerals import short
from symcost.sweeps.question.space import Space

CHIPS, STEP, MICRO = "chips", "step_batch", "microbatches"
"""The axes that plans have besides those of the mesh and the model's own."""


@dataclass(frozen=True)
class Room:
    """A space, the symbol that counts the examples of one run, and what that symbol is of a step."""

    space: Space
    batch: str
    define: Mapping[str, str]


def room_of(costs: CostTable, chips: Any, batch: Any, microbatches: Any, given: Mapping[str, Any]) -> Room:
    """The space of a table.

    Raises:
        SpaceError: where a symbol has no values, or what is given is of no symbol.
    """
    plan = costs.plan
    assert plan is not None
    counted = Space({CHIPS: chips}).axes[CHIPS]
    symbol, values = _batch(costs, batch)
    for name in (CHIPS, STEP, MICRO):
        if name in costs.symbols:
            raise SpaceError(f"{name} is a symbol of the table and an axis of plans: rename the symbol")
    axes: dict[str, Any] = {**given, CHIPS: counted}
    for name in plan.symbols:
        if name in given:
            continue
        if name in costs.symbols:
            axes[name] = [size for size in range(1, max(counted) + 1) if any(number % size == 0 for number in counted)]
    product = "*".join(str(costs.point.get(str(size), size)) for size in plan.mesh.values())
    where = [f"{product} == {CHIPS}"]
    define: dict[str, str] = {}
    if symbol:
        axes |= {STEP: values, MICRO: microbatches}
        define[symbol] = f"{STEP}/{MICRO}"
        where.append(f"{STEP} % {MICRO} == 0")
    missing = [name for name in costs.symbols if name not in axes and name != symbol]
    if missing:
        told = ", ".join(f"{name!r}: ..." for name in missing)
        raise SpaceError(f"plans need values for {', '.join(missing)}: give them, as given={{{told}}}")
    return Room(Space(axes, where=where), symbol, define)


def _batch(costs: CostTable, batch: Any) -> tuple[str, Any]:
    """The symbol of the examples of a run, and the batches of a step; no symbol where the table has a number there."""
    if isinstance(batch, Mapping) and len(batch) == 1 and next(iter(batch)) in costs.symbols:
        return next(iter(batch.items()))
    first = examples(costs)
    named = str(first) if first is not None and str(first) in costs.symbols else ""
    if batch is None:
        if named:
            raise SpaceError(f"a step has {named} examples: give how many, as batch=1024 or batch=range(256, 4097, 256)")
        return "", None
    if not named:
        raise SpaceError(
            f"batch={short(batch)}: no symbol of the inputs is known to count examples, name it, as batch={{'B': {short(batch)}}}"
        )
    return named, batch

