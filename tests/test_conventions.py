"""Published conventions: what they print of known networks, and of rows."""

from __future__ import annotations

import pytest

import symcost as sc
from symcost.conventions import FVCORE, KNOWN, PUBLISHED, published


def test_fvcore_counts_macs_norms_and_adaptive_pooling() -> None:
    """fvcore 0.1.5, jit_handles.py: 2 per element of batch norm, 1 of adaptive pooling; ResNet-50 is 4.11 G."""
    costs = sc.models.resnet50()
    norms = sum(
        row.ins[0][1] * row.ins[0][2] * row.ins[0][3] * row.times for row in costs.rows if row.op == "batch_norm"
    )
    assert costs.total("fvcore").flops == costs.macs + 2 * norms + 2048 * 7 * 7 == 4111512576


@pytest.mark.parametrize("kind", FVCORE)
def test_every_operation_of_the_table_is_one_of_the_layers(kind: str) -> None:
    layers = [
        sc.BatchNorm(),
        sc.LayerNorm(),
        sc.GroupNorm(2),
        sc.InstanceNorm(),
        sc.AdaptiveAvgPool2d(2),
        sc.GlobalAvgPool(),
    ]
    (layer,) = [layer for layer in layers if layer.kind == kind]
    assert sc.table(layer, ("n", 4, 8, 8)).total("fvcore").flops == FVCORE[kind] * 256 * sc.symbols("n")[0]


def test_torchvision_prints_macs_as_flops() -> None:
    total = sc.models.vgg16(n="n").total("torchvision")
    assert total.flops == total.macs == 15470264320 * sc.symbols("n")[0]
    assert total.params == 138357544


def test_an_unknown_convention_is_an_error_that_lists_all() -> None:
    assert ("textbook", "full", "xla", *PUBLISHED) == KNOWN
    with pytest.raises(
        sc.SymcostError, match="unknown convention 'fvcor': use textbook, full, xla, torchvision, fvcore"
    ):
        sc.models.alexnet().total("fvcor")
    with pytest.raises(sc.SymcostError, match="unknown convention"):
        published("papers")
