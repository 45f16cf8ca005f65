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
from symcost.reading.numerals import short

SIZE = (9.0, 4.5)
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"
"""Colours that people with any colour vision tell apart (Okabe, Ito)."""
DOTS = 110
FORMATS = (".png", ".svg")
KINDS = ("memory", "roofline", "latency", "energy")
"""Names of the pictures: each is a function of ``plot_kinds``."""
BATCHES = tuple(2**power for power in range(11))


def plot(
    costs: Any, kind: str = "memory", on: Any = None, dtype: str | None = None, *, at: Mapping[str, int] | None = None,
    batch: str = "n", model: str = "roofline", file: Any = None,
) -> Any:  # fmt: skip
    """A matplotlib figure of one kind, written to ``file`` (.png or .svg) where one is named.

    ``on``: the device, needed for ``roofline`` and ``latency``; its memories are drawn as limits for ``memory``.
    ``at``: values of the table's symbols; ``batch`` is the symbol that ``latency`` runs over. ``model`` as for
    :func:`symcost.latency`.
    """
    from symcost.report.pictures import plot_kinds

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
    if kind not in KINDS:
        raise SymcostError(f"unknown picture {short(kind)}: use {', '.join(KINDS)}")
    if kind in ("roofline", "latency") and on is None:
        raise SymcostError(f"the {kind} needs a device: give one, such as 'nvidia-a100-sxm-80gb'")
    return _path(file)


def blank(size: tuple[float, float] = SIZE) -> Any:
    """An empty figure; it belongs to no window."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise SymcostError("pictures need matplotlib: install symcost[report]") from None
    return Figure(figsize=size, layout="constrained")


def _path(file: Any) -> Path | None:
    if file is None:
        return None
    path = Path(file)
    if path.suffix not in FORMATS:
        raise SymcostError(f"a picture is written as {' or '.join(FORMATS)}: {path} is neither")
    if not path.parent.is_dir():
        raise SymcostError(f"{path} cannot be written: there is no directory {path.parent}")
    return path


def save(figure: Any, path: Path) -> None:
    """The figure as a file, the same bytes for the same picture."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "symcost"}):
        figure.savefig(path, dpi=DOTS, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def plain(axes: Any, title: str) -> None:
    """A title, and no frame where no axis is."""
    axes.set_title(title, loc="left", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
