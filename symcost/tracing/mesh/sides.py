"""Which of a mesh's axes is longer may decide what XLA's partitioner does: each order that makes a program of its own is a side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symcost.costs.mesh.plan import Plan
from symcost.formulas.form import Form, as_form
from symcost.tracing.evidence.guard import Guard, Place, all_hold
from symcost.tracing.sampling.sample import Point, Values

FIRST: Values = (16, 4, 2, 2)
"""Sizes of the mesh's symbols, in their order, at which a program is seen first."""
AXES: Values = (2, 4, 8, 16, 32, 64)
"""Sizes at which an axis is sampled."""
PLACE = Place("XLA's partitioner")
MOST_SIDES = 4
ROOM = 512
"""Devices of the meshes that are sampled."""


@dataclass(frozen=True)
class SideOfMesh:
    """Meshes whose axes stand in one order: the first one, and the conditions that are its order."""

    plan: Plan
    first: Mapping[str, int]
    guards: tuple[Guard, ...] = ()

    def holds(self, mesh: Mapping[str, int]) -> bool:
        """Whether a mesh stands in this order."""
        return all_hold(self.guards, mesh)

    def values(self) -> dict[str, Values]:
        """For each symbol the sizes at which it is sampled beside the others' first ones, that first."""
        found = {}
        for name, first in self.first.items():
            others = (value for value in AXES if value != first and self._fits({**self.first, name: value}, ROOM))
            found[name] = (first, *others)
        return found

    def _fits(self, mesh: Mapping[str, int], most: int) -> bool:
        return self.holds(mesh) and self.plan.devices(mesh) <= most

    def other(self) -> Point:
        """A mesh of which every axis has another size than at first, the largest of those that are sampled; or the first one."""
        names = list(self.first)
        every = (dict(zip(names, sizes, strict=True)) for sizes in itertools.product(AXES[:5], repeat=len(names)))
        inside = [
            mesh for mesh in every if self._fits(mesh, ROOM) and all(mesh[name] != self.first[name] for name in names)
        ]
        return max(inside, key=lambda mesh: prod(mesh.values()), default=dict(self.first))


def sizes_of_axes(plan: Plan) -> dict[str, Form]:
    """The size of each axis of a plan's mesh, a symbol or a number."""
    return {axis: Form.symbol(size) if isinstance(size, str) else as_form(size) for axis, size in plan.mesh.items()}


def first_mesh(plan: Plan) -> dict[str, int]:
    """Sizes of a mesh's symbols at which a program is seen first: the first axis is longest."""
    return dict(zip(plan.symbols, (*FIRST, *(2,) * len(plan.symbols)), strict=False))


def sides(plan: Plan, alike: Callable[[Mapping[str, int], Mapping[str, int]], bool]) -> list[SideOfMesh]:
    """The orders of a mesh's axes; ``alike`` tells whether two meshes have the same program."""
    first = first_mesh(plan)
    deciding = [pair for pair in _pairs(plan) if not alike(first, _swapped(first, pair))]
    found = []
    for turned in itertools.islice(itertools.product((False, True), repeat=len(deciding)), MOST_SIDES):
        mesh = first
        for pair, turn in zip(deciding, turned, strict=True):
            mesh = _swapped(mesh, pair) if turn else mesh
        found.append(SideOfMesh(plan, mesh, tuple(_order(mesh, pair, alike) for pair in deciding)))
    return found


Pair = tuple[str, str | int]
"""A symbol of the mesh, and another one or a number."""


def _pairs(plan: Plan) -> Sequence[Pair]:
    """What may be compared: any two symbols, and each symbol with each number of the mesh."""
    numbers = sorted({size for size in plan.mesh.values() if isinstance(size, int) and size > 2})
    return [*itertools.combinations(plan.symbols, 2), *itertools.product(plan.symbols, numbers)]


def _swapped(mesh: Mapping[str, int], pair: Pair) -> dict[str, int]:
    """The mesh with the other order of a pair."""
    name, other = pair
    if isinstance(other, str):
        return {**mesh, name: mesh[other], other: mesh[name]}
    return {**mesh, name: max(2, other // 2) if mesh[name] > other else 2 * other}


def _order(mesh: Mapping[str, int], pair: Pair, alike: Callable[[Mapping[str, int], Mapping[str, int]], bool]) -> Guard:
    """The order of a pair at a mesh, equality with it where that is the same program."""
    name, other = pair
    size = mesh[other] if isinstance(other, str) else other
    equal = alike(mesh, {**mesh, name: size})
    op = (">=" if equal else ">") if mesh[name] > size else ("<=" if equal else "<")
    right = Form.symbol(other) if isinstance(other, str) else Form.constant(other)
    return Guard(Form.symbol(name), op, right, PLACE)
