"""Pictures of a table, with matplotlib: each function draws one kind on a figure; nothing is shown on a screen.

``memory``: activations and weights of every block, as the lectures draw MobileNetV2. ``roofline``: each kernel by its
arithmetic intensity under the device's roof. ``latency``: time and throughput over the batch. ``energy``: computing
and moving, layer by layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.choices import PICTURES, LatencyModel, Picture
from symcost.reading.numerals import short
from symcost.report.pictures import plot_kinds
from symcost.report.pictures.style import blank, save
from symcost.system.extras import look

FORMATS = (".png", ".svg")


def plot(
    costs: Any, kind: Picture = "memory", on: Any = None, dtype: str | None = None, *, at: Mapping[str, int] | None = None,
    batch: str = "n", model: LatencyModel = "roofline", file: Any = None,
) -> Any:  # fmt: skip
    """A matplotlib figure of one kind, written to ``file`` (.png or .svg) where one is named.

    ``on``: the device, needed for ``roofline`` and ``latency``; its memories are drawn as limits for ``memory``.
    ``at``: values of the table's symbols; ``batch`` is the symbol that ``latency`` runs over. ``model`` as for
    :func:`symcost.latency`.
    """
    path, draw = check(kind, on, file), getattr(plot_kinds, kind)
    given = dict(at or {})
    table = costs if kind == "latency" or not given else costs.subs(**given)
    figure = blank()
    if kind == "latency":
        draw(figure, costs, on, dtype, given, batch, model)
    else:
        draw(figure, table, on, dtype, model)
    if path is not None:
        save(figure, path)
    return figure


def check(kind: str, on: Any, file: Any) -> Path | None:
    """The file of a picture, unless it cannot be drawn."""
    look("a picture", "matplotlib")
    if kind not in PICTURES:
        raise SymcostError(f"unknown picture {short(kind)}: use {', '.join(PICTURES)}")
    if kind in ("roofline", "latency") and on is None:
        raise SymcostError(f"the {kind} needs a device: give one, such as 'nvidia-a100-sxm-80gb'")
    return _path(file)


def _path(file: Any) -> Path | None:
    if file is None:
        return None
    path = Path(file)
    if path.suffix not in FORMATS:
        raise SymcostError(f"a picture is written as {' or '.join(FORMATS)}: {path} is neither")
    if not path.parent.is_dir():
        raise SymcostError(f"{path} cannot be written: there is no directory {path.parent}")
    return path
