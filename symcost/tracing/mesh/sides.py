"""Which of a mesh's axes is longer may decide what XLA's partitioner does: each order that makes a program of its own is a side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2, prod
from typing import Protocol

from symcost.costs.cost import Count
from symcost.costs.mesh.plan import Plan
from symcost.errors import LiftError
from symcost.formulas.form import Form, as_form
from symcost.tracing.evidence.guard import Guard, Place, all_hold
from symcost.tracing.sampling.sample import Point, Values

FIRST: Values = (16, 4, 2, 2)
"""Sizes of the mesh's symbols, in their order, at which a program is seen first."""
AXES: Values = (2, 4, 8, 16, 32, 64)
"""Sizes at which an axis is sampled."""
FAR: Values = (256, 128, 64, 32)
"""Sizes of the far axis of a mesh, the others of which are least."""
MOST_SIZES, LEAST_SIZES = 10, 3
"""Of the divisors of numbers: so many are tried, and so many are needed."""
PLACE = Place("XLA's partitioner")
MOST_SIDES = 4
ROOM = 512
"""Devices of the meshes that are sampled."""


@dataclass(frozen=True)
class Meshes:
    """The meshes at which a program is seen: ``takes`` tells whether the axes of one divide the sizes that are numbers."""

    plan: Plan
    takes: Callable[[Mapping[str, int]], bool]

    def divide(self, mesh: Mapping[str, int]) -> bool:
        """Whether a mesh cuts sizes that are numbers evenly."""
        return self.takes(self.plan.sizes(mesh))

    def sizes(self, name: str) -> Values:
        """Sizes at which a symbol of the mesh is sampled: where numbers are cut along it, their divisors."""
        alone = dict.fromkeys(self.plan.symbols, 1)
        if all(self.divide({**alone, name: size}) for size in AXES):
            return AXES
        return tuple(size for size in range(2, AXES[-1] + 1) if self.divide({**alone, name: size}))[:MOST_SIZES]

    def far(self, name: str) -> Values:
        """Sizes of a far axis, the largest first."""
        return FAR if self.sizes(name) is AXES else self.sizes(name)[::-1]

    @property
    def least(self) -> dict[str, int]:
        """The least size of every symbol."""
        return {name: min(self.sizes(name)) for name in self.plan.symbols}

    def near(self, mesh: Mapping[str, int], right: Callable[[Mapping[str, int]], bool]) -> dict[str, int]:
        """The mesh that is nearest to one of those that cut numbers evenly and are right, or nothing."""
        if self.divide(mesh) and right(mesh):
            return dict(mesh)
        names = list(self.plan.symbols)
        every = (dict(zip(names, sizes, strict=True)) for sizes in itertools.product(*map(self.sizes, names)))
        inside = [each for each in every if self.divide(each) and right(each)]
        return min(inside, key=lambda each: sum(abs(log2(each[n] / mesh[n])) for n in names), default={})

    @property
    def first(self) -> dict[str, int]:
        """Sizes of a mesh's symbols at which a program is seen first: the first axis is longest."""
        symbols = self.plan.symbols
        return self.near(dict(zip(symbols, (*FIRST, *(2,) * len(symbols)), strict=False)), lambda mesh: True)

    def check(self, cuts: Sequence[CutNumber]) -> None:
        """Raise where a number is cut along axes that hardly any size divides."""
        for cut in cuts:
            names = [size for axis in cut.axes if isinstance(size := self.plan.mesh[axis], str)]
            few = next((name for name in names if len(self.sizes(name)) < LEAST_SIZES), None)
            sizes = (self.plan.mesh[axis] for axis in cut.axes)
            parts = prod(size for size in sizes if isinstance(size, int))
            told = f"a size of {cut.size} is cut along {', '.join(cut.axes)}"
            if int(cut.size) % parts:
                raise LiftError(f"{told} into {parts} parts, which do not divide it: give other axes, or other sizes")
            if few is not None:
                known = ", ".join(map(str, self.sizes(few)))
                raise LiftError(
                    f"{told}, and {f'only {known}' if known else 'none'} of 2 to {AXES[-1]} devices divide it: give {few} a "
                    "number, or make the size a symbol or another number"
                )
        if self.plan.symbols and not self.first:
            raise LiftError("no mesh that is tried divides all sizes that are numbers: give other axes, or other sizes")


class CutNumber(Protocol):
    """A dimension whose size is a number, and the axes that cut it."""

    @property
    def size(self) -> Count:
        """The size."""
        ...

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes."""
        ...


@dataclass(frozen=True)
class SideOfMesh:
    """Meshes whose axes stand in one order: the first one, and the conditions that are its order."""

    meshes: Meshes
    first: Mapping[str, int]
    guards: tuple[Guard, ...] = ()

    @property
    def plan(self) -> Plan:
        """The plan of the mesh."""
        return self.meshes.plan

    def holds(self, mesh: Mapping[str, int]) -> bool:
        """Whether a mesh stands in this order."""
        return all_hold(self.guards, mesh)

    def values(self) -> dict[str, Values]:
        """For each symbol the sizes at which it is sampled beside the others' first ones, that first."""
        found = {}
        for name, first in self.first.items():
            others = [
                value for value in self.meshes.sizes(name) if value != first and self.fits({**self.first, name: value})
            ]
            found[name] = (first, *others)
        return found

    def fits(self, mesh: Mapping[str, int]) -> bool:
        """Whether a mesh may be sampled: it stands in this order, divides what is cut, and is not too large."""
        return self.holds(mesh) and self.meshes.divide(mesh) and self.plan.devices(mesh) <= ROOM

    def other(self) -> Point:
        """A mesh of which every axis has another size than at first, the largest of those that are sampled; or the first one."""
        names = list(self.first)
        options = [self.meshes.sizes(name)[:5] for name in names]
        every = (dict(zip(names, sizes, strict=True)) for sizes in itertools.product(*options))
        inside = [mesh for mesh in every if self.fits(mesh) and all(mesh[name] != self.first[name] for name in names)]
        return max(inside, key=lambda mesh: prod(mesh.values()), default=dict(self.first))


def sizes_of_axes(plan: Plan) -> dict[str, Form]:
    """The size of each axis of a plan's mesh, a symbol or a number."""
    return {axis: Form.symbol(size) if isinstance(size, str) else as_form(size) for axis, size in plan.mesh.items()}


def sides(meshes: Meshes, alike: Callable[[Mapping[str, int], Mapping[str, int]], bool]) -> list[SideOfMesh]:
    """The orders of a mesh's axes; ``alike`` tells whether two meshes have the same program."""
    first = meshes.first
    turns = {pair: _swapped(meshes, first, pair) for pair in _pairs(meshes.plan)}
    deciding = [pair for pair, other in turns.items() if other and not alike(first, other)]
    found = []
    for turned in itertools.islice(itertools.product((False, True), repeat=len(deciding)), MOST_SIDES):
        mesh = first
        for pair, turn in zip(deciding, turned, strict=True):
            mesh = (_swapped(meshes, mesh, pair) or mesh) if turn else mesh
        found.append(SideOfMesh(meshes, mesh, tuple(_order(meshes, mesh, pair, alike) for pair in deciding)))
    return found


Pair = tuple[str, str | int]
"""A symbol of the mesh, and another one or a number."""


def _pairs(plan: Plan) -> Sequence[Pair]:
    """What may be compared: any two symbols, and each symbol with each number of the mesh."""
    numbers = sorted({size for size in plan.mesh.values() if isinstance(size, int) and size > 2})
    return [*itertools.combinations(plan.symbols, 2), *itertools.product(plan.symbols, numbers)]


def _swapped(meshes: Meshes, mesh: Mapping[str, int], pair: Pair) -> dict[str, int]:
    """The mesh with the other order of a pair; nothing where no mesh has that one."""
    name, other = pair
    larger = mesh[name] > _value(other, mesh)
    if isinstance(other, str) and mesh[name] == mesh[other]:
        return dict(mesh)
    if isinstance(other, str):
        turned = {**mesh, name: mesh[other], other: mesh[name]}
    else:
        turned = {**mesh, name: max(2, other // 2) if larger else 2 * other}
    return meshes.near(turned, lambda each: (each[name] > _value(other, each)) is not larger)


def _value(side: str | int, mesh: Mapping[str, int]) -> int:
    return mesh[side] if isinstance(side, str) else side


def _order(meshes: Meshes, mesh: Mapping[str, int], pair: Pair,
           alike: Callable[[Mapping[str, int], Mapping[str, int]], bool]) -> Guard:  # fmt: skip
    """The order of a pair at a mesh, equality with it where that is the same program."""
    name, other = pair
    even = {**mesh, name: _value(other, mesh)}
    equal = meshes.divide(even) and alike(mesh, even)
    op = (">=" if equal else ">") if mesh[name] > _value(other, mesh) else ("<=" if equal else "<")
    right = Form.symbol(other) if isinstance(other, str) else Form.constant(other)
    return Guard(Form.symbol(name), op, right, PLACE)
