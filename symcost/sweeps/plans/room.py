"""Where the plans of one table are: batches of a step, microbatches, sizes of the model, and meshes of so many chips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.table import CostTable
from symcost.errors import SpaceError
from symcost.estimate.time.latency import examples
from symcost.formulas.symbols import symbol
from symcost.reading.numerals import short
from symcost.sweeps.question.space import Space

CHIPS, STEP, MICRO = "chips", "step_batch", "microbatches"
"""The axes that plans have besides those of the mesh and the model's own."""


@dataclass(frozen=True)
class Room:
    """The plans of a table: the symbol that counts the examples of one run, numbers of chips, and the values of other axes."""

    costs: CostTable
    batch: str
    chips: Sequence[int]
    axes: Mapping[str, Sequence[int]]

    @cached_property
    def mesh(self) -> list[str]:
        """Symbols of the mesh that have no value yet."""
        plan = self.costs.plan
        return (
            []
            if plan is None
            else [name for name in plan.symbols if name in self.costs.symbols and name not in self.axes]
        )

    def alone(self, names: Sequence[str]) -> Room:
        """The plans whose axes of such sizes have one device."""
        return replace(self, axes={**self.axes, **dict.fromkeys(names, (1,))}) if names else self

    @cached_property
    def examples(self) -> dict[Any, Any]:
        """The examples of one run, as a share of those of a step; without examples there is one run."""
        return {symbol(self.batch): symbol(STEP) / symbol(MICRO)} if self.batch else {symbol(MICRO): sympy.Integer(1)}

    def meshes(self, chips: int) -> int:
        """The product of the sizes that are open; 0 where the other ones do not divide the chips."""
        own = self.product / sympy.Mul(*map(symbol, self.mesh))
        return chips // int(own) if chips % int(own) == 0 else 0

    @cached_property
    def product(self) -> sympy.Expr:
        """The number of devices."""
        plan, at = self.costs.plan, {**self.costs.point, **self.fixed}
        assert plan is not None
        return sympy.Mul(
            *(at.get(size, symbol(size)) if isinstance(size, str) else size for size in plan.mesh.values())
        )

    @cached_property
    def fixed(self) -> dict[str, int]:
        """The axes of one value."""
        return {name: values[0] for name, values in self.axes.items() if len(values) == 1}

    def space(self, chips: int, where: Sequence[str]) -> Space:
        """The plans on so many chips, without axes of one value; every size of the mesh divides the chips."""
        sizes = [size for size in range(1, math.isqrt(chips) + 1) if chips % size == 0]
        divisors = [*sizes, *(chips // size for size in reversed(sizes) if size * size != chips)]
        own = {name: values for name, values in self.axes.items() if len(values) > 1}
        shares = [f"{STEP} % {MICRO} == 0"] if self.batch else []
        where = [f"{self.product} == {CHIPS}", *shares, *where]
        return Space({CHIPS: [chips], **dict.fromkeys(self.mesh, divisors), **own}, where=where)

    def run(self, row: Mapping[str, Any]) -> dict[str, int]:
        """The value of every symbol of the table in one run of a plan."""
        at = {name: row[name] for name in self.costs.symbols if name in row}
        return {**at, self.batch: row[STEP] // row[MICRO]} if self.batch else at


def room_of(costs: CostTable, chips: Any, batch: Any, microbatches: Any, given: Mapping[str, Any]) -> Room:
    """The plans of a table.

    Raises:
        SpaceError: where a symbol has no values, or what is given is of no symbol.
    """
    plan = costs.plan
    assert plan is not None
    counted = Space({CHIPS: chips}).axes[CHIPS]
    named, values = _batch(costs, batch)
    for name in (CHIPS, STEP, MICRO):
        if name in costs.symbols:
            raise SpaceError(f"{name} is a symbol of the table and an axis of plans: rename the symbol")
    for name in given:
        if name not in costs.symbols:
            raise SpaceError(
                f"given has {short(name)}, which is no symbol of the table: they are {', '.join(costs.symbols)}"
            )
        if name == named:
            raise SpaceError(f"given has {name}, which counts the examples of a run: give batch, those of a step")
    axes = {**given, **({STEP: values, MICRO: microbatches} if named else {})}
    missing = [name for name in costs.symbols if name not in axes and name != named and name not in plan.symbols]
    if missing:
        told = ", ".join(f"{name!r}: ..." for name in missing)
        raise SpaceError(f"plans need values for {', '.join(missing)}: give them, as given={{{told}}}")
    return Room(costs, named, counted, Space(axes).axes)


def _batch(costs: CostTable, batch: Any) -> tuple[str, Any]:
    """The symbol of the examples of a run, and the batches of a step; no symbol where the table has a number there."""
    if isinstance(batch, Mapping) and len(batch) == 1 and next(iter(batch)) in costs.symbols:
        return next(iter(batch.items()))
    first = examples(costs)
    named = str(first) if first is not None and str(first) in costs.symbols else ""
    if batch is None:
        if named:
            raise SpaceError(
                f"a step has {named} examples: give how many, as batch=1024 or batch=range(256, 4097, 256)"
            )
        return "", None
    if not named:
        raise SpaceError(
            f"batch={short(batch)}: no symbol of the inputs is known to count examples, name it, as batch={{'B': 1024}}"
        )
    return named, batch
