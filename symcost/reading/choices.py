"""What people choose among by name: each list of names once, for type checkers, errors and helps."""

from __future__ import annotations

from typing import Literal, get_args

Convention = Literal["textbook", "full", "xla"]
"""How costs are counted: see :mod:`symcost.costs.cost`."""
AnyConvention = Literal["textbook", "full", "xla", "torchvision", "fvcore"]
"""The same, and how others publish them: see :mod:`symcost.costs.conventions`."""
Rule = Literal["liveness", "textbook"]
"""By which rule a peak of activations is told: all tensors alive at once, or the largest input plus output."""
Unit = Literal["elements", "bytes"]
"""In what a peak is told."""
Mode = Literal["forward", "train"]
"""What is traced: a forward pass, or the value and gradient with respect to the parameters."""
LatencyModel = Literal["whole", "roofline", "fused"]
"""How operations share the time: see :mod:`symcost.estimate.time.latency`."""
Layout = Literal["first", "last"]
"""Where the channels of three axes stand."""
Picture = Literal["memory", "roofline", "latency", "energy"]
"""What a picture of a table shows."""
Format = Literal["text", "markdown", "csv", "json", "latex"]
"""How a table is written."""

CONVENTIONS: tuple[Convention, ...] = get_args(Convention)
PEAKS: tuple[Rule, ...] = get_args(Rule)
UNITS: tuple[Unit, ...] = get_args(Unit)
MODES: tuple[Mode, ...] = get_args(Mode)
MODELS: tuple[LatencyModel, ...] = get_args(LatencyModel)
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
PICTURES: tuple[Picture, ...] = get_args(Picture)
FORMATS: tuple[Format, ...] = get_args(Format)
