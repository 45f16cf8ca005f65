"""A program at concrete sizes, as the compilers get it: no dead code, flat arguments that know their module."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend import core

from symcost.costs.mesh.plan import Entry
from symcost.errors import SymcostError
from symcost.reading.glob import matches
from symcost.tracing.program.capture import PointError, lean, on_axes
from symcost.tracing.program.model import Model
from symcost.tracing.program.paths import names_along
from symcost.tracing.sampling.refusal import advised

STORED = ("params", "state")
"""Roles of arguments that belong to modules; the others are the call's."""


class NotExportable(Exception):
    """A program that ``jax.export`` does not serialise: callbacks, for example."""


@dataclass(frozen=True)
class Argument:
    """One array of the program: its role, and its place in the tree of that role, such as ``("Dense_0", "kernel")``."""

    role: str
    names: tuple[str, ...]

    @property
    def path(self) -> str | None:
        """The module that owns it; nothing for inputs."""
        return "/".join(self.names[:-1]) if self.role in STORED else None

    def __str__(self) -> str:
        return "/".join((self.role, *self.names))


@dataclass(frozen=True, eq=False)
class JaxProgram:
    """A closed jaxpr and what its arguments are."""

    closed: Any
    arguments: tuple[Argument, ...]
    x64: bool = False
    """Whether numbers of 64 bits were allowed when it was traced; without, they become 32 bits wide where it is lowered."""
    trained: tuple[int, ...] = ()
    """The arguments whose gradients are its results, from the second on, in their order; none of a forward pass."""
    axes: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the named axes around it: every device of a mesh of them runs it, on arrays of its own."""

    @cached_property
    def key(self) -> str:
        """A digest of all that the compilers see: operations with their scopes, constants, arguments."""
        digest = hashlib.sha256()
        digest.update(self.closed.jaxpr.pretty_print(name_stack=True, use_color=False).encode())
        for constant in self.closed.consts:
            array = np.asarray(constant)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        digest.update("\n".join(map(str, (*self.arguments, *self.axes.items()))).encode())
        return digest.hexdigest()

    @cached_property
    def function(self) -> tuple[Any, list[jax.ShapeDtypeStruct]]:
        """A function of flat arrays that runs the program, and its abstract arguments."""
        arrays = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in self.closed.jaxpr.invars]
        return on_axes(core.jaxpr_as_fun(self.closed), self.axes), arrays

    @cached_property
    def _jitted(self) -> tuple[Any, list[jax.ShapeDtypeStruct]]:
        function, arrays = self.function
        return jax.jit(function, keep_unused=True), arrays

    def lowered(self, platforms: Sequence[str] = ()) -> Any:
        """The program before any optimisation, lowered for the CPU, or else for the first of ``platforms`` that takes it.

        Kernels are written for one platform and lower for no other.
        """
        jitted, arrays = self._jitted
        complaints = []
        for platform in dict.fromkeys(("cpu", *platforms)):
            try:
                return jitted.trace(*arrays).lower(lowering_platforms=(platform,))
            except Exception as problem:
                complaints.append(f"{platform}: {_line(problem)}")
        raise SymcostError(
            f"the program cannot be lowered ({'; '.join(complaints)}): ask for a target of the platform that its kernels "
            "are written for"
        )

    def exported(self, platform: str) -> bytes:
        """The program serialised for one platform. Errors: :class:`NotExportable`."""
        jitted, arrays = self._jitted
        try:
            return bytes(export.export(jitted, platforms=(platform,))(*arrays).serialize())
        except Exception as problem:
            raise NotExportable(_line(problem)) from problem


def _line(problem: Exception) -> str:
    return (str(problem).strip() or type(problem).__name__).splitlines()[0].rstrip(".")


def program_at(model: Model, point: Mapping[str, int]) -> JaxProgram:
    """The program of a model at a point, without operations whose results nobody uses."""
    try:
        abstract, closed = lean(model, point)
    except PointError as failure:
        raise advised(failure) from failure.__cause__
    arguments = [
        Argument(role, tuple(names_along(path)))
        for role, tree in abstract.arguments.items()
        for path, _ in jax.tree_util.tree_leaves_with_path(tree)
    ]
    params = [number for number, argument in enumerate(arguments) if argument.role == "params"]
    trained = (
        [number for number, wanted in zip(params, abstract.trained, strict=True) if wanted] if abstract.trains else []
    )
    wide = bool(jax.config.jax_enable_x64)  # type: ignore[attr-defined]
    return JaxProgram(closed, tuple(arguments), wide, tuple(trained), model.axes)


def partitions(program: JaxProgram, rules: Mapping[str, Sequence[Entry]], mesh: Mapping[str, int]) -> list[list[Entry]]:
    """Mesh axes of every argument's dimensions; the last rule that is part of the argument's name, or its pattern, holds.

    Errors: a rule that fits no argument, an axis the mesh lacks, more axes than dimensions, a size that does not divide.
    """
    placed: list[list[Entry]] = []
    used: set[str] = set()
    for argument, aval in zip(program.arguments, program.closed.in_avals, strict=True):
        fitting = [text for text in rules if text in str(argument) or matches(text, str(argument))]
        used.update(fitting)
        axes = list(rules[fitting[-1]]) if fitting else []
        _check(argument, aval.shape, axes, mesh)
        placed.append(axes)
    for text in rules:
        if text not in used:
            names = ", ".join(map(str, program.arguments[:6]))
            raise SymcostError(f"shard names {text!r}, which is part of no array's name: they are {names}, ...")
    return placed


def _check(argument: Argument, shape: tuple[int, ...], axes: list[Entry], mesh: Mapping[str, int]) -> None:
    if len(axes) > len(shape):
        raise SymcostError(f"shard gives {len(axes)} axes to {argument} of shape {shape}: give at most {len(shape)}")
    along = [() if entry is None else (entry,) if isinstance(entry, str) else tuple(entry) for entry in axes]
    every = [axis for names in along for axis in names]
    again = next((axis for axis in every if every.count(axis) > 1), None)
    if again is not None:
        raise SymcostError(
            f"shard gives the axis {again!r} to two dimensions of {argument}: each axis cuts one of them"
        )
    unknown = next((axis for axis in every if axis not in mesh), None)
    if unknown is not None:
        raise SymcostError(f"shard names the axis {unknown!r}: the mesh has {', '.join(mesh)}")
    for size, names in zip(shape, along, strict=False):
        devices = prod(mesh[axis] for axis in names)
        if size % devices:
            raise SymcostError(
                f"shard cuts the {size} of {argument}, shape {shape}, along {' and '.join(map(repr, names))} of {devices} "
                "devices: choose sizes that divide"
            )
