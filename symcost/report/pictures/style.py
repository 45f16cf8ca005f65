"""How pictures look: sizes, colours, empty figures that notebooks show, and files that are the same for the same picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

from symcost.reading.numerals import assigned
from symcost.system.extras import needed

SIZE = (9.0, 4.5)
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"
"""Colours that people with any colour vision tell apart (Okabe, Ito)."""
DOTS, NOTEBOOK = 110, 96
"""Dots per inch of files, and in a notebook's cell, which is 900 of them wide."""
BATCHES = tuple(2**power for power in range(11))


def blank(size: tuple[float, float] = SIZE) -> Any:
    """An empty figure; it belongs to no window."""
    return _shown(needed("matplotlib.figure", "a picture").Figure)(figsize=size, layout="constrained")


@cache
def _shown(figure: type) -> type:
    """Figures that a notebook shows as pictures, whatever is set up there."""

    def png(self: Any) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=NOTEBOOK)
        return file.getvalue()

    return type("Picture", (figure,), {"_repr_png_": png, "__doc__": "A figure that a notebook shows as a picture."})


def headed(figure: Any, name: str, point: Mapping[str, int]) -> None:
    """The model's name and point above all."""
    at = assigned(point)
    if name or at:
        figure.suptitle(
            f"{name}{' ' if name and at else ''}{'at ' if at else ''}{at}", x=0.01, ha="left", fontweight="bold"
        )


def plain(axes: Any, title: str) -> None:
    """A title, and no frame where no axis is."""
    axes.set_title(title, loc="left", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
