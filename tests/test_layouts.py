"""Inputs of three axes: signals or tokens, as the network takes them or as it is said."""

from __future__ import annotations

import pytest

import symcost as sc


@pytest.mark.parametrize(
    ("layer", "x", "out"),
    [
        (sc.BatchNorm(), (1, 4, 100), (1, 4, 100)),
        (sc.Sequential(sc.BatchNorm(), sc.Conv1d(c_o=8, k=3, p=1)), (1, 4, 100), (1, 8, 100)),
        (sc.Sequential(sc.LayerNorm(), sc.Linear(8)), (1, 10, 4), (1, 10, 8)),
        (sc.Residual(sc.Sequential(sc.BatchNorm(), sc.ReLU(), sc.Conv1d(c_o=4, k=3, p=1))), (1, 4, 9), (1, 4, 9)),
        (sc.Branch(sc.Identity(), sc.Conv1d(c_o=4, k=3, p=1)), (1, 4, 9), (1, 8, 9)),
        (sc.Sequential(sc.Linear(8), sc.Conv1d(c_o=3, k=3, p=1)), (1, 9, 4), (1, 9, 3)),
        (sc.GlobalAvgPool(), (1, 9, 4), (1, 4)),
    ],
)
def test_three_axes_are_what_the_network_takes_them_for(layer: sc.Layer, x: tuple, out: tuple) -> None:
    assert layer.out(x) == out


def test_a_layout_may_be_said() -> None:
    assert sc.GlobalAvgPool().out((1, 4, 100), layout="first") == (1, 4)
    assert sc.BatchNorm().cost((1, 4, 100)).params == 8
    assert sc.table(sc.BatchNorm(), (1, 4, 100), layout="last").params == 200
