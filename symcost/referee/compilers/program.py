"""A program at concrete sizes, as the compilers get it: no dead code, flat arguments that know their module."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend import core

from symcost.costs.mesh.plan import Entry, Plan
from symcost.errors import SymcostError
from symcost.reading.glob import matches
from symcost.tracing.mesh.asking.laid import Laid, gradients_laid
from symcost.tracing.program.arguments import Argument, arguments
from symcost.tracing.program.axes import as_argument, is_explicit, on_axes
from symcost.tracing.program.capture import PointError, lean
from symcost.tracing.program.model import Model
from symcost.tracing.sampling.refusal import advised


class NotExportable(Exception):
    """A program that ``jax.export`` does not serialise: callbacks, for example."""


def _bits(constant: Any) -> Any:
    """The numbers of a constant; those within a random key."""
    is_key = hasattr(constant, "dtype") and jax.numpy.issubdtype(constant.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(constant) if is_key else constant


@dataclass(frozen=True, eq=False)
class JaxProgram:
    """A closed jaxpr and what its arguments are."""

    closed: Any
    arguments: tuple[Argument, ...]
    x64: bool = False
    """Whether numbers of 64 bits were allowed when it was traced; without, they become 32 bits wide where it is lowered."""
    axes: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the named axes around it: every device of a mesh of them runs it, on arrays of its own."""

    @cached_property
    def key(self) -> str:
        """A digest of all that the compilers see: operations with their scopes, constants, arguments."""
        digest = hashlib.sha256()
        digest.update(self.closed.jaxpr.pretty_print(name_stack=True, use_color=False).encode())
        for constant in self.closed.consts:
            array = np.asarray(_bits(constant))
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(array.tobytes())
        digest.update("\n".join(map(str, (*self.arguments, *self.axes.items()))).encode())
        return digest.hexdigest()

    @cached_property
    def function(self) -> tuple[Any, list[jax.ShapeDtypeStruct]]:
        """A function of flat arrays that runs the program, and its abstract arguments."""
        arrays = [as_argument(v.aval) for v in self.closed.jaxpr.invars]
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

    def with_gradients_as(self, laid: Laid) -> Any:
        """The program as a function of flat arrays, whose gradients lie on a mesh as the parameters do that they change."""
        return gradients_laid(self.function[0], self.arguments, laid.places())

    def exported(self, platform: str, gradients: Laid | None = None) -> bytes:
        """The program serialised for one platform, its gradients laid on a mesh if told. Errors: :class:`NotExportable`."""
        jitted, arrays = self._jitted
        try:
            if gradients is not None and not is_explicit(self.closed):  # else its types say where they lie
                jitted = jax.jit(self.with_gradients_as(gradients), keep_unused=True)
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
    wide = bool(jax.config.jax_enable_x64)  # type: ignore[attr-defined]
    return JaxProgram(closed, arguments(abstract), wide, model.axes)


def by_rules(program: JaxProgram, rules: Mapping[str, Sequence[Entry]], mesh: Mapping[str, int]) -> Plan:
    """The plan of rules for parts of arrays' names, or patterns of them: of those that fit an argument the last one holds.

    Errors: a rule that fits no argument, and those of :class:`symcost.Plan`.
    """
    plan = Plan(mesh, rules)
    found: dict[str, Sequence[Entry]] = {}
    used: set[str] = set()
    for name in map(str, program.arguments):
        fitting = [text for text in rules if text in name or matches(text, name)]
        used.update(fitting)
        if fitting:
            found[name] = rules[fitting[-1]]
    for text in rules:
        if text not in used:
            names = ", ".join(map(str, program.arguments[:6]))
            raise SymcostError(f"shard names {text!r}, which is part of no array's name: they are {names}, ...")
    return replace(plan, shard=found)
