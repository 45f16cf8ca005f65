"""How pictures look: sizes, colours, empty figures, and files that are the same for the same picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symcost.system.extras import needed

SIZE = (9.0, 4.5)
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"
"""Colours that people with any colour vision tell apart (Okabe, Ito)."""
DOTS = 110
BATCHES = tuple(2**power for power in range(11))


def blank(size: tuple[float, float] = SIZE) -> Any:
    """An empty figure; it belongs to no window."""
    return needed("matplotlib.figure", "a picture").Figure(figsize=size, layout="constrained")


def save(figure: Any, path: Path) -> None:
    """The figure as a file, the same bytes for the same picture."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "symcost"}):
        figure.savefig(path, dpi=DOTS, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def plain(axes: Any, title: str) -> None:
    """A title, and no frame where no axis is."""
    axes.set_title(title, loc="left", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
