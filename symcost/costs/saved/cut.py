"""A program cut over a mesh, from the file of its table: the plan, the table of one device, and its collectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from symcost.costs.mesh.alone import Alone
from symcost.costs.mesh.collectives import KINDS, Collective
from symcost.costs.mesh.plan import Plan
from symcost.costs.mesh.sharded import Sharded
from symcost.costs.saved.values import as_text
from symcost.errors import SymcostError
from symcost.reading.numerals import short

ReadTable = Callable[[Mapping[str, Any]], tuple[Any, Callable[[Any], Any]]]
"""From the document of a device to its table, and what reads formulas in its symbols."""


def cut_of(given: Mapping[str, Any], point: Mapping[str, int], read: ReadTable) -> Sharded | None:
    """What a file says of the mesh; nothing where an earlier version wrote totals of a device alone."""
    if "rows" not in given["per_device"]:
        return None
    shard, constraint = (
        {as_text(path): tuple(map(_entry, axes)) for path, axes in each.items()}
        for each in (given["shard"], given.get("constraint", {}))
    )
    plan = Plan(dict(given["axes"]), shard, constraint=constraint)
    first, *others = (_side(plan, each, point, read) for each in (given, *given.get("others", [])))
    return replace(first, others=tuple(others))


def _entry(given: Any) -> Any:
    return tuple(map(as_text, given)) if isinstance(given, list) else given


def _side(plan: Plan, given: Mapping[str, Any], point: Mapping[str, int], read: ReadTable) -> Sharded:
    table, number = read(given["per_device"])
    rows = tuple(_collective(each, number) for each in given["collectives"])
    alone = (
        Alone(*(tuple(map(as_text, each[name])) for name in ("symbols", "conditions")))
        for each in given.get("alone", [])
    )
    return Sharded(plan, table, rows, dict(point), alone=tuple(alone))


def _collective(given: Mapping[str, Any], number: Callable[[Any], Any]) -> Collective:
    kind = given["kind"]
    if kind not in KINDS:
        raise SymcostError(f"{short(kind)} stands where a kind of collective should: there are {', '.join(KINDS)}")
    return Collective(
        kind=kind, axes=tuple(map(as_text, given["axes"])), size=number(given["size"]), bytes=number(given["bytes"]),
        times=number(given["times"]), path=as_text(given["path"]), phase=as_text(given["phase"]), dtype=as_text(given["dtype"]),
    )  # fmt: skip
