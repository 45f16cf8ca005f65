"""A model at a point, cut over a mesh by XLA's own partitioner: the program of one device, before it is optimised.

The devices are pretended: a client of the CPU that says it has as many. What the partitioner writes does not depend on
what kind they are: targets differ in what they make of it afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax._src.core import jaxprs_in_params
from jax.extend import core
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec
from jaxlib import xla_client

from symcost.costs.mesh.plan import Axes, Plan
from symcost.errors import TraceError
from symcost.hlo import Module, Shape, parse
from symcost.reading.numerals import short
from symcost.tracing.program.capture import PointError, lean, too_large
from symcost.tracing.program.model import Abstract, Model
from symcost.tracing.program.paths import names_along

CLIENTS = (64, 512, 2048)
"""Numbers of devices that a client of the CPU pretends to have; more take it long to make."""
MOST_DEVICES = CLIENTS[-1]
PASS = "spmd-partitioning"
OPTIONS: Mapping[str, Any] = {
    "xla_dump_hlo_pass_re": PASS,
    "xla_backend_optimization_level": 0,  # nothing of what is compiled is run
    "xla_llvm_disable_expensive_passes": True,
}
STOP = "symcost_stop_here"
"""A call that no library answers: XLA ends at it, once all is partitioned, and makes no machine code of the program."""
MOST_BYTES = 1 << 58
"""Of one array: XLA ends the whole process where a size has no 64 bits."""


@dataclass(frozen=True)
class Entering:
    """An array that enters the program: its role and path, its whole shape, and the axes that cut its dimensions."""

    role: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    cut: tuple[Axes, ...]
    frozen: bool = False

    def local(self, mesh: Mapping[str, int]) -> tuple[int, ...]:
        """The shape on one device."""
        parts = (prod(mesh[axis] for axis in axes) for axes in self.cut)
        return tuple(size // part for size, part in zip(self.shape, parts, strict=True))


@dataclass(frozen=True)
class Partitioned:
    """The program of one device, the arrays that enter it, the sizes of the mesh, and how much of each residual it keeps."""

    module: Module
    arguments: tuple[Entering, ...]
    mesh: Mapping[str, int]
    residuals: tuple[Shape, ...] = ()


def abstract_mesh(sizes: Mapping[str, int]) -> AbstractContextManager[Any]:
    """Within it, a program may name the axes of a mesh, of which no device need exist: constraints inside a model do."""
    mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    return jax.sharding.use_abstract_mesh(mesh)


def partitioned(model: Model, plan: Plan, point: Mapping[str, int]) -> Partitioned:
    """What XLA's partitioner makes of a model at a point. Errors: a size that an axis does not divide, too large a mesh."""
    model.hands_over = True
    try:
        program = _OnMesh.of(model, plan, point)
    finally:
        model.hands_over = False
    module = parse(program.partitioned())
    return Partitioned(module, program.arguments, program.sizes, tuple(_kept(module, program.abstract)))


def _kept(module: Module, abstract: Abstract) -> Iterator[Shape]:
    """What one device keeps of each residual; one that a single number fills is made again where it is read."""
    home, saved = module.entry, len(abstract.residuals)
    made = [home.by_name[name] for name in home.root.operands[:-1]]  # the last one is of the call that ends it
    for i in made[len(made) - saved :]:
        if not (i.opcode == "broadcast" and home.by_name[i.operands[0]].opcode == "constant"):
            yield from i.shape.leaves()


def compiled(model: Model, plan: Plan, point: Mapping[str, int]) -> Module:
    """What XLA makes of the same program for as many CPUs, optimised; errors as of :func:`partitioned`."""
    lowered = _OnMesh.of(model, plan, point).lowered(stop=False)
    return parse(lowered.compile().as_text())


def _check_mesh(sizes: Mapping[str, int], point: Mapping[str, int]) -> None:
    if prod(sizes.values()) > MOST_DEVICES:
        by = " x ".join(map(str, sizes.values()))
        raise PointError(
            f"a mesh of {by} devices is too large to be tried: at most {MOST_DEVICES} are pretended here", point
        )


def _check_room(jaxpr: Any, point: Mapping[str, int]) -> None:
    """Raise where an array is larger than XLA can count, in the program or in what it calls."""
    for eqn in jaxpr.eqns:
        for variable in eqn.outvars:
            size = prod(getattr(variable.aval, "shape", ()))
            if size * 16 > MOST_BYTES:
                raise too_large(point, f"an array of {size} elements is more than XLA can count")
        for inner in jaxprs_in_params(eqn.params):
            _check_room(inner, point)


def _arguments(abstract: Abstract, plan: Plan) -> Sequence[Entering]:
    found, number = [], 0
    for role, tree in abstract.arguments.items():
        for along, array in jax.tree_util.tree_leaves_with_path(tree):
            path = "/".join((role, *names_along(along)))
            frozen = role == "params" and not abstract.trained[number]
            number += role == "params"
            cut = plan.cut(path, len(array.shape))
            found.append(Entering(role, path, tuple(array.shape), str(array.dtype), cut, frozen))
    plan.check_used([argument.path for argument in found])
    return found


def _check_divided(arguments: Sequence[Entering], sizes: Mapping[str, int], point: Mapping[str, int]) -> None:
    for argument in arguments:
        for size, axes in zip(argument.shape, argument.cut, strict=True):
            parts = prod(sizes[axis] for axis in axes)
            if size % parts:
                along = " and ".join(map(repr, axes))
                raise PointError(
                    f"{argument.path} of shape {short(argument.shape)}: its {size} is cut along {along} into {parts} parts, "
                    "which do not divide it: choose sizes that do",
                    point,
                )


@dataclass(frozen=True)
class _OnMesh:
    """A program at a point, and how its arguments lie on a mesh."""

    abstract: Abstract
    closed: Any
    arguments: tuple[Entering, ...]
    sizes: Mapping[str, int]

    @classmethod
    def of(cls, model: Model, plan: Plan, point: Mapping[str, int]) -> _OnMesh:
        sizes = plan.sizes(point)
        _check_mesh(sizes, point)
        own = {name: point[name] for name in (*model.symbols, *model.fixed) if name in point}
        with abstract_mesh(sizes):
            abstract, closed = lean(model, own)
        _check_room(closed.jaxpr, point)
        arguments = tuple(_arguments(abstract, plan))
        _check_divided(arguments, sizes, point)
        return cls(abstract, closed, arguments, sizes)

    def lowered(self, stop: bool) -> Any:
        """The program lowered for as many CPUs; with ``stop`` XLA makes no machine code of it."""
        number = prod(self.sizes.values())
        client = _devices(next(most for most in CLIENTS if most >= number))
        mesh = Mesh(np.array(client[:number]).reshape(tuple(self.sizes.values())), tuple(self.sizes))
        placed = [NamedSharding(mesh, PartitionSpec(*(axes or None for axes in each.cut))) for each in self.arguments]
        arrays = [
            jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype, sharding=place)
            for v, place in zip(self.closed.jaxpr.invars, placed, strict=True)
        ]
        run = core.jaxpr_as_fun(self.closed)
        trained = [
            place
            for place, each in zip(placed, self.arguments, strict=True)
            if each.role == "params" and not each.frozen
        ]
        gradients = slice(1, 1 + len(trained)) if self.abstract.trains else slice(0)

        def laid(*values: Any) -> list[Any]:
            """The program, whose gradients lie as the parameters do that they change; then the call that ends it."""
            results = run(*values)
            results[gradients] = map(jax.lax.with_sharding_constraint, results[gradients], trained)
            return [*results, jax.ffi.ffi_call(STOP, jax.ShapeDtypeStruct((), np.float32))()] if stop else results

        return jax.jit(laid, keep_unused=True).lower(*arrays)

    def partitioned(self) -> str:
        """The HLO text of one device's program."""
        lowered = self.lowered(stop=True)
        with tempfile.TemporaryDirectory(prefix="symcost-") as folder:
            problem = ""
            try:
                lowered.compile(compiler_options={**OPTIONS, "xla_dump_to": folder})
            except Exception as ended:
                problem = (str(ended).strip() or type(ended).__name__).splitlines()[0]
            written = sorted(Path(folder).glob(f"*.after_{PASS}.*.txt"))
            if not written:
                said = problem or "it names its passes otherwise"
                raise TraceError(f"XLA cannot cut the program over {dict(self.sizes)}: {said}")
            return written[-1].read_text()


@lru_cache(maxsize=len(CLIENTS))
def _devices(number: int) -> Sequence[Any]:
    """Devices of a CPU that says it has so many; none of them runs anything."""
    return xla_client.make_cpu_client(num_devices=number).devices()
