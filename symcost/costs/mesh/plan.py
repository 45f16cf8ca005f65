"""A plan: a mesh of devices, and along which of its axes every array is cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from symcost.errors import SpecError
from symcost.reading.glob import checked, matches
from symcost.reading.nearest import choose, listed, near, offered
from symcost.reading.numerals import short

Axes = tuple[str, ...]
"""The axes along which one dimension is cut: none, one, or several."""
Entry = None | str | Sequence[str]


@dataclass(frozen=True)
class Plan:
    """A mesh of devices and how a program's arrays lie on it.

    ``mesh``: the size of each axis by its name, a number or the name of a symbol, as ``{"data": "X", "model": 8}``. ``shard``: by
    pattern of an array's path (``*``, ``**``, see :mod:`symcost.reading.glob`), the axes of its dimensions in order: a name, a
    tuple of names for a dimension that is cut along several, or None. Of several patterns that fit the last one
    holds; dimensions that are not named, and arrays that no pattern fits, are whole on every device. Paths begin with the
    role of the array: ``params/block_0/up/kernel``, ``inputs/0``, ``state/...``.

    ``constraint``: the axes of what modules give, in the same way by pattern of the path of the module, as
    ``{"**/mlp": ("data", None, None)}``: of every call of it from outside, all arrays; dimensions that are not named are whole.

    What a model says itself of its arrays holds where no pattern fits them: inputs with ``"float32[B@data,d@model]"``, of a
    dimension along several axes ``B@data+fsdp``; parameters with ``nn.with_partitioning``, ``nn.with_logical_partitioning``
    or ``nnx.with_partitioning``. ``rules``: axes of the mesh for logical names, None for none, as ``{"mlp": "model"}``.

    The axes are automatic: XLA's partitioner lays what nobody says. They are explicit for a program that says itself how its
    arrays lie (``jax.sharding.reshard``, ``out_sharding=``), or that is traced within a mesh of explicit axes.

    Raises :class:`symcost.SpecError` for an axis that the mesh lacks, one that cuts two dimensions of an array, and sizes that
    are neither positive integers nor names.

    >>> plan = Plan({"data": "X", "model": "Y"}, {"inputs/0": ("data",), "**/up/kernel": (None, "model")})
    >>> plan.symbols, plan.cut("params/block_3/up/kernel", 2)
    (('X', 'Y'), ((), ('model',)))
    """

    mesh: Mapping[str, int | str]
    shard: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    rules: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    constraint: Mapping[str, Sequence[Entry]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.mesh, Mapping) or not self.mesh:
            raise SpecError(f'mesh={short(self.mesh)} must name axes and their sizes, as {{"data": "X", "model": 8}}')
        for axis, size in self.mesh.items():
            if not isinstance(axis, str) or not axis.isidentifier():
                raise SpecError(f"mesh names an axis {short(axis)}: give a name such as 'data'")
            named = isinstance(size, str) and size.isidentifier()
            counted = isinstance(size, int) and not isinstance(size, bool) and size > 0
            if not named and not counted:
                raise SpecError(
                    f"the axis {axis!r} of the mesh has size {short(size)}: give a positive integer or a symbol"
                )
        again = next((size for size in self.symbols if list(self.mesh.values()).count(size) > 1), None)
        if again is not None:
            raise SpecError(f"two axes of the mesh have the size {again}: give each a symbol of its own")
        if not isinstance(self.shard, Mapping):
            raise SpecError(f'shard={short(self.shard)} must give axes by path, as {{"inputs/0": ("data", None)}}')
        for pattern, entries in self.shard.items():
            self._check("shard", checked(pattern, "shard"), entries)
        if not isinstance(self.constraint, Mapping):
            raise SpecError(
                f'constraint={short(self.constraint)} must give axes by path of a module, as {{"**/mlp": ("data", None)}}'
            )
        for pattern, entries in self.constraint.items():
            self._check("constraint", checked(pattern, "constraint"), entries)
        if not isinstance(self.rules, Mapping):
            raise SpecError(
                f'rules={short(self.rules)} must give axes by logical name, as {{"mlp": "model", "embed": None}}'
            )
        for name, entry in self.rules.items():
            for axis in _names(entry) or ():
                if axis not in self.mesh:
                    raise SpecError(f"rules take {name!r} to {axis!r}, which the mesh lacks: {choose(axis, self.mesh)}")

    def completed(self, own: Mapping[str, Sequence[Entry]]) -> Plan:
        """The plan with what a model says of arrays by path, which gives way to its own patterns; nothing is left to rules."""
        return replace(self, shard={**own, **self.shard}, rules={}) if own or self.rules else self

    def _check(self, argument: str, pattern: str, entries: Any) -> None:
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            raise SpecError(
                f'{argument} gives {pattern!r} {short(entries)}: give the axes of its dimensions, as ("data", None)'
            )
        used: list[str] = []
        for entry in entries:
            names = _names(entry)
            if names is None:
                raise SpecError(
                    f"{argument} gives {pattern!r} the axis {short(entry)}: give a name, a tuple of names or None"
                )
            used += names
        for axis in used:
            if axis not in self.mesh:
                raise SpecError(
                    f"{argument} cuts {pattern!r} along {axis!r}, which the mesh lacks: {choose(axis, self.mesh)}"
                )
            if used.count(axis) > 1:
                raise SpecError(
                    f"{argument} cuts {pattern!r} twice along {axis!r}: each axis cuts one dimension of an array"
                )

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols among the sizes of the mesh, in its order."""
        return tuple(dict.fromkeys(size for size in self.mesh.values() if isinstance(size, str)))

    def sizes(self, point: Mapping[str, int]) -> dict[str, int]:
        """The size of every axis at a point."""
        return {axis: point[size] if isinstance(size, str) else size for axis, size in self.mesh.items()}

    def devices(self, point: Mapping[str, int]) -> int:
        """The number of devices at a point."""
        return prod(self.sizes(point).values())

    def cut(self, path: str, rank: int) -> tuple[Axes, ...]:
        """The axes along which each dimension of an array is cut. Raises where there are more axes than dimensions."""
        return _cut("shard", self.shard, path, rank) or ((),) * rank

    def constrained(self, path: str, rank: int) -> tuple[Axes, ...] | None:
        """The axes of what a module gives, None where no pattern fits it. Raises likewise."""
        return _cut("constraint", self.constraint, path, rank)

    def check_modules(self, paths: Sequence[str]) -> None:
        """Raise where a pattern of ``constraint`` fits none of the modules that a program calls."""
        for pattern in self.constraint:
            if not any(matches(pattern, path) for path in paths):
                hint = _instead(pattern, [path for path in paths if path], "it calls none")
                raise SpecError(f"constraint={pattern!r} fits no module of the program: {hint}")

    def check_used(self, paths: Sequence[str]) -> None:
        """Raise where a pattern fits none of the paths, or an axis cuts none of the arrays."""
        for pattern in self.shard:
            if not any(matches(pattern, path) for path in paths):
                raise SpecError(f"shard={pattern!r} fits no array of the program: {_instead(pattern, paths)}")
        every = (*self.shard.values(), *self.constraint.values())
        used = {axis for entries in every for entry in entries for axis in _names(entry) or ()}
        idle = next((axis for axis in self.mesh if axis not in used), None)
        if idle is not None:
            raise SpecError(
                f"no array is cut along the axis {idle!r} of the mesh: shard one along it, or leave the axis out"
            )


def _cut(argument: str, patterns: Mapping[str, Sequence[Entry]], path: str, rank: int) -> tuple[Axes, ...] | None:
    """The axes of the last pattern that fits, of all dimensions."""
    fitting = [entries for pattern, entries in patterns.items() if matches(pattern, path)]
    if not fitting:
        return None
    axes = [tuple(_names(entry) or ()) for entry in fitting[-1]]
    if len(axes) > rank:
        raise SpecError(
            f"{argument} gives {len(axes)} axes to {path}, which has {rank} dimensions: give at most {rank}"
        )
    return (*axes, *((),) * (rank - len(axes)))


def _instead(pattern: str, paths: Sequence[str], none: str = "") -> str:
    """What may have been meant by a pattern that fits none of the paths."""
    plain = [f"**/{pattern}"] if any(matches(f"**/{pattern}", path) for path in paths) else []
    told = f"they are {listed(list(dict.fromkeys(paths)))}" if paths else none
    return offered(plain or near(pattern, paths, cutoff=0.4), told)


INPUTS = "inputs"
_ROLES = {"param": "params", "input": INPUTS}
"""The first part of a path by what the row of an array says it is."""


def entering(row: Any) -> str:
    """The path, as patterns of a plan see it, of an array that enters a program.

    >>> from symcost.costs.rows import Row
    >>> entering(Row(path="up", op="param kernel", source="input"))
    'params/up/kernel'
    """
    kind, _, name = row.op.partition(" ")
    return "/".join(part for part in (_ROLES.get(kind, kind), row.path, name) if part)


def _names(entry: Any) -> list[str] | None:
    """The axes of one dimension; nothing for what names none."""
    if entry is None:
        return []
    if isinstance(entry, str):
        return [entry]
    if isinstance(entry, Sequence) and all(isinstance(name, str) for name in entry):
        return list(entry)
    return None
