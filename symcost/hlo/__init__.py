"""HLO text -> exact cost. Pure text: nothing here imports jax, so the referee depends on no tracer."""

from symcost.hlo.counting.analyse import Float32 as Float32
from symcost.hlo.counting.analyse import HloCost as HloCost
from symcost.hlo.counting.analyse import analyse as analyse
from symcost.hlo.counting.analyse import pointer_of as pointer_of
from symcost.hlo.reading.ir import Computation as Computation
from symcost.hlo.reading.ir import DimLabels as DimLabels
from symcost.hlo.reading.ir import Instruction as Instruction
from symcost.hlo.reading.ir import Module as Module
from symcost.hlo.reading.ir import WindowDim as WindowDim
from symcost.hlo.reading.parse import parse as parse
from symcost.hlo.reading.shapes import Shape as Shape
from symcost.hlo.reading.shapes import parse_shape as parse_shape
from symcost.hlo.reading.text import HloError as HloError
from symcost.hlo.reading.trips import trip_count as trip_count

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
