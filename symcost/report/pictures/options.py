"""What is asked of a picture: a device, a number type, a model of latency, how deep its bars go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symcost.reading.choices import LatencyModel

USUAL = "nvidia-a100-sxm-80gb"
"""The device of a time where none is given, as of estimates."""


@dataclass(frozen=True)
class PictureOptions:
    """``on``: a device; ``at``: values of symbols beside the ``batch``; ``depth``: parts of a path that a bar names."""

    on: Any = None
    dtype: str | None = None
    model: LatencyModel = "roofline"
    at: Mapping[str, int] | None = None
    batch: str = "n"
    depth: int | None = None
