"""A jaxpr as HLO text, lowered for the CPU and not optimised: no device is started, and nothing is traced again."""

from __future__ import annotations

import importlib
import inspect
from importlib.metadata import version
from typing import Any

from jax.interpreters import mlir

PLATFORM = "cpu"
JAXLIB = version("jaxlib")


def hlo_text(closed: Any) -> str:
    """The program that ``jax.jit`` would lower, every argument kept. Raises whatever jax raises.

    ``jit`` itself asks for a device before it lowers, which starts the accelerators of the machine.
    """
    shapes = closed.in_avals
    given = {"num_const_args": 0, "in_avals": shapes, "out_avals": closed.out_avals, "ordered_effects": [],
             "backend": None, "platforms": (PLATFORM,), "axis_context": mlir.ShardingContext(1),
             "donated_args": [False] * len(shapes),
             "lowering_parameters": mlir.LoweringParameters(hoist_constants_as_args=False)}  # fmt: skip
    known = inspect.signature(mlir.lower_jaxpr_to_module).parameters
    lowered: Any = mlir.lower_jaxpr_to_module("jit(program)", closed, **{n: v for n, v in given.items() if n in known})  # type: ignore[arg-type]
    converter: Any = importlib.import_module("jaxlib._jax").mlir
    return converter.mlir_module_to_xla_computation(mlir.module_to_bytecode(lowered.module)).as_hlo_module().to_string()
