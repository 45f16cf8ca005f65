"""Pictures of a table, with matplotlib: each function draws one kind on a figure; nothing is shown on a screen.

``memory``: activations and weights of every block, as the lectures draw MobileNetV2. ``roofline``: each kernel by its
arithmetic intensity under the device's roof. ``latency``: time and throughput over the batch. ``energy``: computing
and moving, block by block. Each is headed by the model's name and point; blocks stand in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.choices import PICTURES, LatencyModel, Picture
from symcost.reading.nearest import one_of
from symcost.report.pictures.batches import latency
from symcost.report.pictures.joules import energy
from symcost.report.pictures.memory import memory
from symcost.report.pictures.options import PictureOptions
from symcost.report.pictures.roofline import roofline
from symcost.report.pictures.style import DOTS, blank, headed
from symcost.system.extras import look
from symcost.system.pictures import UNDATED, save

KINDS = {"memory": memory, "roofline": roofline, "latency": latency, "energy": energy}
FORMATS = tuple(UNDATED)


def plot(
    costs: Any, kind: Picture = "memory", on: Any = None, dtype: str | None = None, *, at: Mapping[str, int] | None = None,
    batch: str = "n", model: LatencyModel = "roofline", depth: int | None = None, name: str = "", file: Any = None,
) -> Any:  # fmt: skip
    """A matplotlib figure of one kind, which a notebook shows, written to ``file`` (.png, .svg or .pdf) where one is named.

    ``on``: the device, an A100 for ``roofline`` and ``latency`` unless given; its memories are drawn as limits for
    ``memory``. ``at``: values of the table's symbols; ``batch`` is the symbol that ``latency`` runs over. ``model`` as for
    :func:`symcost.latency`. ``depth``: how many parts of a module's path a bar of ``memory`` and ``energy`` names; unless
    given, as many as leave at most 24 bars. ``name``: what the picture calls the
    model, as its table does unless given.
    """
    path = check(kind, file)
    point = dict(at or {})
    table = costs if kind == "latency" or not point else costs.subs(**point)
    figure = blank()
    KINDS[kind](figure, table, PictureOptions(on, dtype, model, point, batch, depth))
    headed(figure, name or costs.parts.name, {**costs.point, **point})
    if path is not None:
        save(figure, path, path.suffix, dpi=DOTS)
    return figure


def check(kind: str, file: Any) -> Path | None:
    """The file of a picture, unless it cannot be drawn."""
    look("a picture", "matplotlib")
    one_of(kind, PICTURES, "picture")
    return None if file is None else file_of(file)


def file_of(file: Any) -> Path:
    """The file of a picture, whose ending says how it is written."""
    path = Path(file)
    if path.suffix not in FORMATS:
        raise SymcostError(
            f"a picture is written as {', '.join(FORMATS[:-1])} or {FORMATS[-1]}: {path} is none of them"
        )
    if not path.parent.is_dir():
        raise SymcostError(f"{path} cannot be written: there is no directory {path.parent}")
    return path
