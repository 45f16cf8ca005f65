"""Published conventions: what they print of known networks, and of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

import symcost as sc
from symcost.costs.conventions import FVCORE, KNOWN, PUBLISHED, published


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


def test_traced_tables_have_torchvisions_convention_and_refuse_fvcores(tmp_path: Path) -> None:
    """torchvision's counts products alone; fvcore's goes by the names of norms and pooling, which a program has not."""
    net = sc.Sequential(sc.Conv2d(c_o=8, k=3, p=1), sc.BatchNorm(), sc.ReLU(), sc.GlobalAvgPool(), sc.Linear(10))
    layers, traced = sc.table(net, ("n", 3, 8, 8)), sc.trace(sc.build(net), "float32[n,8,8,3]")
    traced.save(tmp_path / "traced.json")
    for table in (traced, sc.load(tmp_path / "traced.json")):
        for found, wanted in ((table, layers), (table.subs(n=2), layers.subs(n=2))):
            assert found.total("torchvision") == wanted.total("torchvision")
            with pytest.raises(sc.SymcostError, match="fvcore counts norms and pooling by name, and a traced program"):
                found.total("fvcore")


def test_an_unknown_convention_is_an_error_that_lists_all() -> None:
    assert ("textbook", "full", "xla", *PUBLISHED) == KNOWN
    with pytest.raises(
        sc.SymcostError, match="unknown convention 'fvcor': use textbook, full, xla, torchvision, fvcore"
    ):
        sc.models.alexnet().total("fvcor")
    with pytest.raises(sc.SymcostError, match="unknown convention"):
        published("papers")
