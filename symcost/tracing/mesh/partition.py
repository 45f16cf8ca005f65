"""A model at a point, cut over a mesh by XLA's own partitioner: the program of one device, before it is optimised.

The devices are pretended: a client of the CPU that says it has as many. What the partitioner writes does not depend on
what kind they are: targets differ in what they make of it afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export
from jax._src.core import jaxprs_in_params
from jax.extend import core
from jax.sharding import Mesh
from jaxlib import xla_client

from symcost.costs.mesh.plan import Axes, Plan
from symcost.errors import TraceError
from symcost.hlo import Computation, Instruction, Module, Shape, parse
from symcost.tracing.mesh.laid import Laid, gradients_laid
from symcost.tracing.mesh.sorts import sorting
from symcost.tracing.program.arguments import Argument, arguments
from symcost.tracing.program.axes import abstract_mesh, as_argument, is_explicit
from symcost.tracing.program.capture import PointError, lean, too_large
from symcost.tracing.program.model import Model

CLIENTS = (64, 512, 2048)
"""Numbers of devices that a client of the CPU pretends to have; more take it long to make."""
MOST_DEVICES = CLIENTS[-1]
PASS = "spmd-partitioning"
LATER = (
    "algsimp", "constant_folding", "copy-insertion", "cpu-all-reduce-combiner", "cpu-parallel-task-assigner",
    "dot-library-rewriter", "fusion", "fusion-wrapper", "gather_simplifier", "gemv-rewriter", "layout-assignment",
    "reduce-decomposer", "reshape-decomposer", "reshape-mover", "simplify-conditional", "simplify-sorts",
    "small-while-loop-hoisting", "transpose-folding", "tree_reduction_rewriter", "while-loop-simplifier",
)  # fmt: skip
"""Passes behind the partitioner that need not run, as nothing of what they would make is read."""
OPTIONS: Mapping[str, Any] = {
    "xla_dump_hlo_pass_re": PASS,
    "xla_backend_optimization_level": 0,  # nothing of what is compiled is run
    "xla_llvm_disable_expensive_passes": True,
    "xla_disable_hlo_passes": ",".join(LATER),
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
    """The program of one device, the arrays that enter it, the sizes of the mesh, its results and what it keeps."""

    module: Module
    arguments: tuple[Entering, ...]
    mesh: Mapping[str, int]
    results: tuple[Shape, ...] = ()
    residuals: tuple[Shape, ...] = ()


def partitioned(model: Model, plan: Plan, point: Mapping[str, int], sorts: bool = False) -> Partitioned:
    """What XLA's partitioner makes of a model at a point, with ``top_k`` as the operation that it is or as a sort.

    Errors: a size that an axis does not divide, too large a mesh.
    """
    model.hands_over = True
    try:
        program = _OnMesh.of(model, plan, point)
    finally:
        model.hands_over = False
    with sorting() if sorts else nullcontext():
        module = parse(program.partitioned())
    *names, _ = module.entry.root.operands  # the last one is of the call that ends it
    instructions = [module.entry.by_name[name] for name in names]
    results, saved = (
        instructions[: len(instructions) - program.saved],
        instructions[len(instructions) - program.saved :],
    )
    shapes = tuple(leaf for i in results for leaf in i.shape.leaves())
    return Partitioned(module, program.entering(), program.laid.mesh, shapes, tuple(_kept(module.entry, saved)))


def _kept(home: Computation, saved: Sequence[Instruction]) -> Iterator[Shape]:
    """What one device keeps of each residual; one that a single number fills is made again where it is read."""
    for i in saved:
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
            f"a mesh of {by} devices is too large to be tried, of {MOST_DEVICES} at most: "
            "give a symbol for the size of an axis, and its value later",
            point,
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
        _check_mesh(sizes, point)
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
        client = _devices(next(most for most in CLIENTS if most >= number))
        placed = self.laid.places(Mesh(np.array(client[:number]).reshape(tuple(sizes.values())), tuple(sizes)))
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
                raise TraceError(f"XLA cannot cut the program over {dict(self.laid.mesh)}: {said}")
            return written[-1].read_text()


@lru_cache(maxsize=len(CLIENTS))
def _devices(number: int) -> Sequence[Any]:
    """Devices of a CPU that says it has so many; none of them runs anything."""
    return xla_client.make_cpu_client(num_devices=number).devices()
