"""Pictures of answers: what is drawn is what was found, cell by cell, and what cannot be drawn truly is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symcost as sc
from symcost.sweeps.answers import pictures

SPACE = sc.Space(a=range(1, 10), b=range(1, 10))
FORMULAS = {"f": "a*b", "g": "a + b"}


def drawn(answer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: str | None = None) -> Any:
    """The figure behind a picture."""
    figures: list[Any] = []
    make = pictures._figure
    monkeypatch.setattr(pictures, "_figure", lambda *size: figures.append(make(*size)) or figures[0])
    answer.plot(tmp_path / "picture.png", colour)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    return figures[0]


def test_a_map_has_every_value_of_the_space_and_blanks_where_nothing_is_feasible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figure = drawn(sc.sweep(FORMULAS, SPACE, "12 <= f <= 20"), monkeypatch, tmp_path)
    for axes, value in zip(figure.axes, (lambda a, b: a * b, lambda a, b: a + b), strict=False):
        cells = np.ma.filled(axes.images[0].get_array().astype(float), np.nan)
        right = [[value(a, b) if 12 <= a * b <= 20 else np.nan for a in range(1, 10)] for b in range(1, 10)]
        assert np.array_equal(cells, right, equal_nan=True)
    number = sum(12 <= a * b <= 20 for a in range(1, 10) for b in range(1, 10))
    assert figure.get_suptitle() == f"{number} of 81 configurations are feasible; blank: not feasible"


def test_a_picture_says_which_model_it_is_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    net, space = sc.models.alexnet(n="n"), sc.Space(n=range(1, 9))
    front = sc.pareto(net, space, minimize=("params", "macs"))
    assert front.model == "alexnet"
    assert drawn(front, monkeypatch, tmp_path).axes[0].get_title().startswith("alexnet: 1 trade-offs of 8")


@pytest.mark.parametrize(("ending", "first"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_the_same_picture_is_the_same_file_in_every_format(ending: str, first: bytes, tmp_path: Path) -> None:
    answer, files = sc.sweep(FORMULAS, SPACE, "12 <= f <= 20"), []
    for name in ("one", "two"):
        answer.plot(tmp_path / f"{name}{ending}")
        files.append((tmp_path / f"{name}{ending}").read_bytes())
    assert files[0].startswith(first)
    assert files[0] == files[1]


def test_a_map_of_the_best_alone_is_refused(tmp_path: Path) -> None:
    best = sc.sweep({"f": "a*b"}, SPACE, "f <= 60", maximize="f")
    every = sum(a * b <= 60 for a in range(1, 10) for b in range(1, 10))
    with pytest.raises(sc.SpaceError, match=f"10 of {every} feasible configurations are listed, and a map of two axes"):
        best.plot(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
    sc.sweep({"f": "a*b"}, SPACE, "f <= 60", maximize="f", top=every).plot(tmp_path / "x.png")


def test_the_points_of_a_front_are_its_objectives_and_the_colour_its_axis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    front = sc.pareto({"f": "a*b + 3", "g": "a*a + 10*b"}, SPACE, minimize="f", maximize="g")
    axes = drawn(front, monkeypatch, tmp_path, "b").axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[row["f"], row["g"]] for row in front]
    assert axes.collections[0].get_array().tolist() == [row["b"] for row in front]
    with pytest.raises(sc.SpaceError, match="no axis or number 'zz' to colour by: there are a, b, f, g"):
        front.plot(tmp_path / "x.png", "zz")


def test_a_picture_that_cannot_be_written_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    def full(self: Any, file: str, **options: Any) -> None:
        Path(file).write_bytes(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(
        sc.SpaceError, match=r"the picture .*x.svg cannot be written: No space left on device; make room"
    ):
        sc.sweep(FORMULAS, SPACE, "f <= 20").plot(tmp_path / "x.svg")
    assert not list(tmp_path.iterdir())
