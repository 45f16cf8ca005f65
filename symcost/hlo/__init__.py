"""HLO text -> exact cost. Pure text: nothing here imports jax, so the referee depends on no tracer."""

from symcost.hlo.counting.analyse import Float32, HloCost, analyse, pointer_of
from symcost.hlo.reading.ir import Computation, DimLabels, Instruction, Module, WindowDim
from symcost.hlo.reading.parse import parse
from symcost.hlo.reading.shapes import Shape, parse_shape
from symcost.hlo.reading.text import HloError
from symcost.hlo.reading.trips import trip_count

__all__ = [
    "Computation",
    "DimLabels",
    "Float32",
    "HloCost",
    "HloError",
    "Instruction",
    "Module",
    "Shape",
    "WindowDim",
    "analyse",
    "parse",
    "parse_shape",
    "pointer_of",
    "trip_count",
]
