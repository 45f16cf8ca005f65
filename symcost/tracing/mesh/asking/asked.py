"""What XLA's partitioner answers: the program of one device, as text, of a program that was lowered for a mesh.

The devices are pretended: a client of the CPU that says it has as many. What the partitioner writes does not depend on
what kind they are: targets differ in what they make of it afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jax._src import compiler
from jax.interpreters import mlir
from jaxlib import xla_client
from jaxlib.mlir import ir

from symcost.errors import TraceError

CLIENTS = (64, 512, 2048)
"""Numbers of devices that a client of the CPU pretends to have; more take it long to make."""
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


def asked(module: Any, mesh: Mapping[str, int]) -> str:
    """The HLO text of one device's program, of a module that calls :data:`STOP`. Errors: it cannot be cut."""
    number = prod(mesh.values())
    with tempfile.TemporaryDirectory(prefix="symcost-") as folder:
        options = compiler.get_compile_options(
            1, number, np.arange(number).reshape(1, number), {**OPTIONS, "xla_dump_to": folder}, detailed_logging=False
        )
        problem = ""
        try:
            devices_of(number)[0].client.compile_and_load(
                module, xla_client.DeviceList(tuple(devices_of(number))), options
            )
        except Exception as ended:
            problem = (str(ended).strip() or type(ended).__name__).splitlines()[0]
        written = sorted(Path(folder).glob(f"*.after_{PASS}.*.txt"))
        if not written:
            said = problem or "it names its passes otherwise"
            raise TraceError(f"XLA cannot cut the program over {dict(mesh)}: {said}")
        return written[-1].read_text()


def read(text: str) -> Any:
    """The module of a text."""
    with _context(), ir.Location.unknown():
        return ir.Module.parse(text)


def devices_of(number: int) -> Sequence[Any]:
    """So many devices of a CPU; none of them runs anything."""
    return _devices(next(most for most in CLIENTS if most >= number))[:number]


@lru_cache(maxsize=1)
def _context() -> ir.Context:
    return mlir.make_ir_context()


@lru_cache(maxsize=len(CLIENTS))
def _devices(number: int) -> Sequence[Any]:
    return xla_client.make_cpu_client(num_devices=number).devices()
