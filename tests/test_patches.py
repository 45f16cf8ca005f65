"""Patch-based inference: the published MobileNetV2, brute force over every patch, and what cannot be cut."""

from __future__ import annotations

import pytest

import symcost as sc
from symcost.models.catalog import reference

MOBILENET = reference("mobilenet_v2").net()
IMAGE = (1, 3, 224, 224)


def test_the_published_mobilenet_in_patches() -> None:
    """Lin et al., MCUNetV2, arXiv:2110.15352: MobileNetV2 needs 172 kB instead of 1372 kB for 10 % more computation.

    They count the largest input plus output in KiB, with depthwise convolutions in place; 4 x 4 patches of 75 x 75.
    """
    found = sc.patched(MOBILENET, IMAGE, "block_4", 4, rule="textbook", depthwise_in_place=True)
    assert found.largest_patch == (75, 75)
    assert found.whole_peak == 1372 * 1024
    assert round(found.peak / 1024) == 172
    assert round(100 * found.recomputed / found.whole_macs) == 9  # 9.3 %: "10 %" in the paper


def test_one_patch_is_the_network_itself() -> None:
    found = sc.patched(MOBILENET, IMAGE, "block_4", 1)
    table = sc.models.mobilenet_v2()
    assert found.recomputed == 0
    assert (found.whole_macs, found.whole_peak) == (table.macs, table.peak("liveness"))
    assert found.peak == found.whole_peak


@pytest.mark.parametrize("patches", [2, 3, 4])
@pytest.mark.parametrize(("k", "s", "p"), [(3, 1, 1), (3, 2, 1), (5, 2, 2), (1, 1, 0), (3, 1, 0)])
def test_recomputed_macs_agree_with_marking_every_output(k: int, s: int, p: int, patches: int) -> None:
    """Each patch by brute force: the outputs of the first layer that its outputs of the second one touch."""
    net = sc.Sequential(a=sc.Conv2d(c_o=4, k=3, p=1, bias=False), b=sc.Conv2d(c_o=2, k=k, s=s, p=p, bias=False))
    side = 17
    table = sc.table(net, (1, 3, side, side))
    found = sc.patched(net, (1, 3, side, side), "b", patches)
    size = int(table.rows[-1].out[2])
    first = 0
    for cut in range(patches):
        outs = range(cut * size // patches, (cut + 1) * size // patches)
        first += len({i * s - p + t for i in outs for t in range(k) if 0 <= i * s - p + t < side})
    hand = first**2 * 4 * 3 * 9 + size**2 * 2 * 4 * k * k
    untouched = table.macs - hand  # the last rows of an input that no window reaches are not computed in patches
    assert found.macs == hand
    assert found.recomputed == -untouched


def test_more_patches_need_less_memory_and_more_macs() -> None:
    found = [sc.patched(MOBILENET, IMAGE, "block_4", patches) for patches in (1, 2, 4, 7)]
    assert [f.patch_peak for f in found] == sorted((f.patch_peak for f in found), reverse=True)
    assert [f.macs for f in found] == sorted(f.macs for f in found)


def test_a_residual_beside_a_patch_is_kept() -> None:
    """The input stays alive beside the block: input, hidden and result are there at once."""
    block = sc.Residual(sc.Sequential(up=sc.Conv2d(c_o=8, k=1, bias=False), down=sc.Conv2d(c_o=4, k=1, bias=False)))
    found = sc.patched(sc.Sequential(block=block), (1, 4, 8, 8), "block", 2)
    patch = 16 * 4 + 16 * 8 + 16 * 4
    assert found.patch_peak == patch + (4 * 64 - 4 * 16)
    assert found.whole_peak == 64 * (4 + 8 + 4)


SE = sc.Sequential(conv=sc.Conv2d(c_o=8, k=3, p=1), se=sc.SqueezeExcitation(2), gap=sc.GlobalAvgPool())


def test_a_table_of_layers_has_them() -> None:
    assert sc.patched(sc.models.mobilenet_v2(), IMAGE, "block_4", 4) == sc.patched(MOBILENET, IMAGE, "block_4", 4)


BAD = [
    (
        dict(net=sc.trace_function(lambda x: x, "float32[1,8,8,3]")),
        r"a traced table keeps totals, .* \(this is a CostTable\)",
    ),
    (dict(net=sc.Linear(3)), "needs a Sequential whose first layers are the stage"),
    (dict(stage="block_99"), "the network has no layer 'block_99' to end the stage: it has stem, block_1"),
    (dict(patches=0), "patches=0 must be a positive integer"),
    (dict(patches=57), "patches=57 do not fit the stage's output"),
    (dict(x=("n", 3, 224, 224)), "patches need numbers, and there are the symbols n"),
    (dict(stage="gap"), "cannot run in patches: end the stage before it|do not fit"),
    (dict(net=SE, x=(1, 3, 8, 8), stage="se", patches=2), r"se.* cannot run in patches: end the stage before it"),
    (dict(rule="all"), "unknown rule of activations 'all'"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[message for _, message in BAD])
def test_what_cannot_run_in_patches(options: dict[str, object], message: str) -> None:
    asked = {"net": MOBILENET, "x": IMAGE, "stage": "block_4", "patches": 4, **options}
    with pytest.raises(sc.SymcostError, match=message):
        sc.patched(**asked)  # type: ignore[arg-type]
