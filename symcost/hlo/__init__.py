"""HLO text -> exact cost. Pure text: nothing here imports jax, so the referee depends on no tracer."""

from .analyse import Float32 as Float32
from .analyse import HloCost as HloCost
from .analyse import analyse as analyse
from .analyse import pointer_of as pointer_of
from .ir import Computation as Computation
from .ir import DimLabels as DimLabels
from .ir import Instruction as Instruction
from .ir import Module as Module
from .ir import WindowDim as WindowDim
from .parse import parse as parse
from .shapes import Shape as Shape
from .shapes import parse_shape as parse_shape
from .text import HloError as HloError
from .trips import trip_count as trip_count

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
