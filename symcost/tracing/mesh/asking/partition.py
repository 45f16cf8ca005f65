"""A model at a point, cut over a mesh by XLA's own partitioner: the program of one device, before it is optimised."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import numpy as np
from jax import export
from jax._src.core import jaxprs_in_params
from jax.extend import core
from jax.sharding import Mesh

from symcost.costs.mesh.plan import Plan
from symcost.hlo import Module, parse
from symcost.tracing.mesh.asking.asked import CLIENTS, STOP, devices_of
from symcost.tracing.mesh.asking.laid import Laid, gradients_laid
from symcost.tracing.mesh.asking.lowered import Entering, LoweredProgram, Partitioned
from symcost.tracing.mesh.asking.sorts import sorting
from symcost.tracing.program.arguments import Argument, arguments
from symcost.tracing.program.axes import abstract_mesh, as_argument, is_explicit
from symcost.tracing.program.capture import PointError, lean, too_large
from symcost.tracing.program.model import Model

MOST_DEVICES = CLIENTS[-1]
MOST_BYTES = 1 << 58
"""Of one array: XLA ends the whole process where a size has no 64 bits."""


def partitioned(model: Model, plan: Plan, point: Mapping[str, int], sorts: bool = False) -> Partitioned:
    """What XLA's partitioner makes of a model at a point, with ``top_k`` as the operation that it is or as a sort.

    Errors: a size that an axis does not divide, too large a mesh.
    """
    return lowered(model, plan, point, sorts).partitioned()


def lowered(model: Model, plan: Plan, point: Mapping[str, int], sorts: bool = False) -> LoweredProgram:
    """The same model at the point, lowered for the mesh; errors as of :func:`partitioned`."""
    model.hands_over = True
    try:
        program = _OnMesh.of(model, plan, point)
    finally:
        model.hands_over = False
    with sorting() if sorts else nullcontext():
        module = program.lowered(stop=True).compiler_ir()
    return LoweredProgram(module, program.entering(), program.laid.mesh, program.saved)


def compiled(model: Model, plan: Plan, point: Mapping[str, int]) -> Module:
    """What XLA makes of the same program for as many CPUs, optimised; errors as of :func:`partitioned`."""
    lowered = _OnMesh.of(model, plan, point).lowered(stop=False)
    return parse(lowered.compile().as_text())


def check_mesh(sizes: Mapping[str, int], point: Mapping[str, int]) -> None:
    """Raise for more devices than are pretended."""
    if prod(sizes.values()) > MOST_DEVICES:
        by = " x ".join(map(str, sizes.values()))
        raise PointError(
            f"a mesh of {by} devices is too large to be tried, of {MOST_DEVICES} at most: "
            "give a symbol for the size of an axis, and its value later",
            point,
        )


def check_elements(size: int, point: Mapping[str, int]) -> None:
    """Raise for an array of more elements than XLA can count."""
    if size * 16 > MOST_BYTES:
        raise too_large(point, f"an array of {size} elements is more than XLA can count")


def _check_room(jaxpr: Any, point: Mapping[str, int]) -> None:
    """Raise where an array is larger than XLA can count, in the program or in what it calls."""
    for eqn in jaxpr.eqns:
        for variable in eqn.outvars:
            check_elements(prod(getattr(variable.aval, "shape", ())), point)
        for inner in jaxprs_in_params(eqn.params):
            _check_room(inner, point)


@dataclass(frozen=True)
class _OnMesh:
    """A program at a point, what its arguments are, and how they lie on a mesh."""

    closed: Any
    arguments: tuple[Argument, ...]
    laid: Laid
    saved: int
    """How many of its last results are residuals."""

    @classmethod
    def of(cls, model: Model, plan: Plan, point: Mapping[str, int]) -> _OnMesh:
        sizes = plan.sizes(point)
        check_mesh(sizes, point)
        own = {name: point[name] for name in (*model.symbols, *model.fixed) if name in point}
        with abstract_mesh(sizes, model.explicit is not None):
            abstract, closed = lean(model, own)
        _check_room(closed.jaxpr, point)
        entering = arguments(abstract)
        plan.check_used(list(map(str, entering)))
        model.constrained.check()
        laid = Laid.of(plan, sizes, entering, [aval.shape for aval in closed.in_avals], point)
        return cls(closed, entering, laid, len(abstract.residuals) if model.hands_over else 0)

    def entering(self) -> tuple[Entering, ...]:
        """The arrays that enter the program of one device."""
        return tuple(
            Entering(each.role, str(each), tuple(aval.shape), str(aval.dtype), cut, each.frozen)
            for each, aval, cut in zip(self.arguments, self.closed.in_avals, self.laid.cuts, strict=True)
        )

    def lowered(self, stop: bool) -> Any:
        """The program lowered for as many CPUs; with ``stop`` XLA makes no machine code of it."""
        sizes = self.laid.mesh
        number = prod(sizes.values())
        placed = self.laid.places(Mesh(np.array(devices_of(number)).reshape(tuple(sizes.values())), tuple(sizes)))
        arrays = [
            jax.ShapeDtypeStruct(aval.shape, aval.dtype, sharding=place)
            for aval, place in zip(self.closed.in_avals, placed, strict=True)
        ]
        run = core.jaxpr_as_fun(self.closed)
        if is_explicit(self.closed):  # its types say where gradients lie, too, on a mesh without devices
            flat = jax.jit(run, keep_unused=True)
            run = export.export(flat, platforms=("cpu",))(*map(as_argument, self.closed.in_avals)).call
        else:
            run = gradients_laid(run, self.arguments, placed)

        def ended(*values: Any) -> list[Any]:
            """The program, then the call that ends it."""
            return [*run(*values), *([jax.ffi.ffi_call(STOP, jax.ShapeDtypeStruct((), np.float32))()] if stop else [])]

        return jax.jit(ended, keep_unused=True).lower(*arrays)
