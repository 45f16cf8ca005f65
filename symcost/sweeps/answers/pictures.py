"""Pictures of answers: a front coloured by an axis, or costs over two axes as heat maps; PNG, SVG or PDF."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from symcost.errors import SpaceError
from symcost.reading.numerals import short
from symcost.system.extras import look, needed
from symcost.system.files import whole
from symcost.system.pictures import UNDATED, save

MAPS = 2


def check_name(path: Path) -> None:
    """Refuse an ending that is no format, and say what drawing lacks: before a search, not after it."""
    if path.suffix.lower() not in UNDATED:
        raise SpaceError(f"the picture {path} must end in {' or '.join(UNDATED)}: name it so")
    look("a picture", "matplotlib", error=SpaceError)


def check_colour(colour: str, names: Iterable[str]) -> None:
    """Refuse a colour that is none of an answer's axes and numbers."""
    if colour not in names:
        raise SpaceError(f"no axis or number {short(colour)} to colour by: there are {', '.join(names)}")


def plot(answer: Any, path: Path, colour: str | None = None) -> None:
    """Draw a front, or all feasible configurations of a space in which two axes vary."""
    check_name(path)
    if not len(answer):
        raise SpaceError(f"there is nothing to draw in {path}: no configuration is listed")
    figure = _front(answer, colour) if len(answer.objectives) > 1 else _maps(answer)
    try:
        whole(path, lambda file: save(figure, file, path.suffix.lower(), dpi=150, bbox_inches="tight"))
    except OSError as problem:
        raise SpaceError(
            f"the picture {path} cannot be written: {problem.strerror}; make room, or name another"
        ) from None


def varying(answer: Any) -> list[str]:
    """Axes of the space that have more than one value among the configurations."""
    return [name for name in answer.axes if len(set(answer.columns[name])) > 1]


def _figure(width: float, height: float) -> Any:
    return needed("matplotlib.figure", "a picture", SpaceError).Figure(figsize=(width, height))


def _front(answer: Any, colour: str | None) -> Any:
    """The first two objectives against each other; the colour is the value of an axis."""
    moving = varying(answer)
    chosen = colour or next(iter([*moving, *answer.axes]))
    check_colour(chosen, answer.columns)
    (x, _), (y, _) = answer.objectives[:2]
    figure = _figure(7, 5)
    axes = figure.subplots()
    values = answer.columns[chosen]
    if all(isinstance(v, str) for v in values):
        names = list(dict.fromkeys(values))
        for name in names:
            rows = [i for i, v in enumerate(values) if v == name]
            axes.scatter(*([float(answer.columns[c][i]) for i in rows] for c in (x, y)), s=14, label=name)
        axes.legend(title=chosen)
    else:
        points = axes.scatter(
            *([float(v) for v in answer.columns[c]] for c in (x, y)), c=[float(v) for v in values], s=14, cmap="viridis"
        )
        figure.colorbar(points, label=chosen)
    _labelled(axes, x, y)
    axes.set_title(f"{_of(answer)}{len(answer):,} trade-offs of {answer.size:,} configurations")
    return figure


def _maps(answer: Any) -> Any:
    """The first two costs over the two axes that vary; what is not feasible stays blank."""
    import numpy as np

    moving = varying(answer)
    costs = [name for name in answer.columns if name not in answer.axes][:MAPS]
    if len(moving) != 2 or not costs:
        raise SpaceError(
            f"a picture shows a front of two objectives, or costs over two axes: here {len(moving)} axes vary"
            f" ({', '.join(moving) or 'none'}) and {len(costs)} costs are shown"
        )
    if len(answer) < answer.count:
        raise SpaceError(
            f"{len(answer):,} of {answer.count:,} feasible configurations are listed, and a map of two axes shows all: "
            "leave out the objective, or raise top"
        )
    across, up = (sorted(answer.axes[name]) for name in moving)
    columns, lines = ({value: place for place, value in enumerate(values)} for values in (across, up))
    figure = _figure(6 * len(costs), 5)
    for axes, cost in zip(np.atleast_1d(figure.subplots(1, len(costs))), costs, strict=True):
        cells = np.full((len(up), len(across)), np.nan)
        for x, y, value in zip(*(answer.columns[n] for n in (*moving, cost)), strict=True):
            cells[lines[y], columns[x]] = float(value)
        image = axes.imshow(cells, origin="lower", aspect="auto", cmap="viridis", interpolation="nearest")
        figure.colorbar(image, ax=axes, format=_units())
        for ticks, names, number in ((axes.set_xticks, across, 8), (axes.set_yticks, up, 10)):
            places = list(range(0, len(names), -(-len(names) // number)))
            ticks(places, [str(names[p]) for p in places])
        axes.set_xlabel(moving[0])
        axes.set_ylabel(moving[1])
        axes.set_title(cost)
    figure.suptitle(
        f"{_of(answer)}{answer.count:,} of {answer.size:,} configurations are feasible; blank: not feasible"
    )
    figure.tight_layout()
    return figure


def _of(answer: Any) -> str:
    """The model, in front of a title."""
    return f"{answer.model}: " if answer.model else ""


def _labelled(axes: Any, x: str, y: str) -> None:
    """Thousands and millions on both axes, not powers of ten beside them."""
    for side, label in ((axes.xaxis, x), (axes.yaxis, y)):
        side.set_major_formatter(_units())
        side.set_label_text(label)
    axes.grid(alpha=0.3)


def _units() -> Any:
    from matplotlib.ticker import EngFormatter

    return EngFormatter(sep="")
