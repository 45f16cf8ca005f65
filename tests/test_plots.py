"""Pictures: what is drawn is what was estimated, files are written, and what is missing is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import symcost as sc
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.report.pictures.roofline import named
from symcost.report.words.grouping import standing

MOBILENET = sc.models.mobilenet_v2()
A100 = "nvidia-a100-sxm-80gb"


def heights(axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches]


def test_memory_draws_every_block_and_the_limits_of_the_device() -> None:
    upper, lower = MOBILENET.plot("memory", "stm32f746", "int8").axes
    assert max(heights(upper)) == 1505280 / 1024  # block_2: the lectures' imbalance, early activations, late weights
    assert heights(upper).index(max(heights(upper))) == 2
    assert sum(heights(lower)) * 1024 == pytest.approx(MOBILENET.params)
    assert upper.lines[0].get_ydata()[0] == 320
    assert lower.lines[0].get_ydata()[0] == 1024
    assert lower.lines[1].get_ydata()[-1] * 1024 == pytest.approx(MOBILENET.params)  # what the flash has to hold
    assert "dashed: 320 KiB of sram in stm32f746" in upper.get_title(loc="left")
    assert [label.get_text() for label in lower.get_xticklabels()][:2] == ["stem", "block_1"]


def test_large_memories_are_drawn_in_large_units() -> None:
    """124,439,808 parameters of float32 are 474.7 MiB, in two blocks; 80 GB are 74.51 GiB."""
    _, lower = sc.models.gpt2().plot("memory", A100).axes
    assert sum(heights(lower)) * 2**20 == pytest.approx(4 * 124439808)
    assert (
        lower.get_title(loc="left")
        == f"weights of each block, line: their sum so far, MiB (float32); {A100} has 74.51 GiB of hbm"
    )


def test_roofline_points_lie_under_the_roof() -> None:
    (axes,) = sc.models.resnet18().plot("roofline", "nvidia-h100-sxm", "bfloat16", model="fused").axes
    peak, bandwidth = 989.4e12, 3350e9
    points = [tuple(point) for group in axes.collections for point in group.get_offsets()]
    assert len(points) > 15
    for intensity, reached in points:
        assert reached <= 1.0001 * min(peak, intensity * bandwidth)
        assert reached >= 0.9999 * min(peak, intensity * bandwidth)  # without overhead a kernel is at its bound


def test_the_kernels_that_lose_most_time_are_named() -> None:
    table = sc.models.resnet18()
    (axes,) = table.plot("roofline", A100, "bfloat16", model="fused").axes
    steps = sc.latency(table, A100, "bfloat16", model="fused").steps
    worst = max(steps, key=lambda step: step.seconds - step.compute * step.kernel.times)
    assert named(worst.kernel) in [text.get_text() for text in axes.texts]


def test_a_name_points_at_its_own_operation() -> None:
    """A product of 43 op/byte and its bias of 0.13 stand in one module: each name is beside its own point."""
    table = sc.models.gpt2(N=64)
    (axes,) = table.plot("roofline", A100, "float32").axes
    steps = sc.latency(table, A100, "float32").steps
    texts = [text for text in axes.texts if text.get_text() in {named(step.kernel) for step in steps}]
    assert len(texts) == 3
    for text in texts:
        alike = [step for step in steps if named(step.kernel) == text.get_text()]
        assert any(text.xy[0] == pytest.approx(float(step.intensity)) for step in alike)


def test_a_bar_of_several_sizes_stands_for_all_its_modules() -> None:
    """Lifted blocks whose kernels differ: as many as one parameter of them is declared, and no number where nothing says it."""
    rows = [
        Row(path="stage#/conv", op=f"param {name}", cost=Cost(params=size), times=times, out=(size,), source="input")
        for size, times in ((4, 2), (8, 3))
        for name in ("bias", "kernel")
    ]
    rows += [Row(path="rnn#", op="transpose", cost=Cost(activations=4), times=times, out=(4,)) for times in (0, 1)]
    assert [standing([row for row in rows if row.path == path], path) for path in ("stage#/conv", "rnn#")] == [5, None]


@pytest.mark.parametrize(("table", "model"), [
    (sc.models.resnet18(), "roofline"), (sc.models.gpt2(N=128), "roofline"), (MOBILENET, "fused"),
])  # fmt: skip
def test_a_legend_has_all_of_the_time(table: sc.CostTable, model: str) -> None:
    (axes,) = table.plot("roofline", A100, model=model).axes  # type: ignore[arg-type]
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sum(int(re.findall(r"(\d+) %", line)[0]) for line in said) == 100


def test_a_roofline_and_a_latency_are_of_an_a100_unless_a_device_is_given() -> None:
    for kind in ("roofline", "latency"):
        axes = sc.models.resnet18(n="n" if kind == "latency" else 1).plot(kind).axes  # type: ignore[arg-type]
        assert axes[0].get_title(loc="left").startswith("NVIDIA A100 SXM4 80 GB, float32")


def test_the_model_and_its_point_stand_above() -> None:
    table = sc.models.resnet18(n="n", r="r")
    figure = table.plot("memory", at={"n": 2, "r": 64}, name="resnet18")
    assert figure.get_suptitle() == "resnet18 at n=2, r=64"
    assert table.subs(n=2, r=32).plot("energy").get_suptitle() == "resnet18 at n=2, r=32"
    assert table.subs(r=32).plot("latency", name="it").get_suptitle() == "it at r=32"
    assert sc.CostTable(table.subs(n=2, r=32).rows).plot("memory").get_suptitle() == ""  # nobody says what it is called


def nested() -> sc.CostTable:
    """Two stages of two layers each, inside a backbone; the last that runs is the first by name."""
    stage = sc.Sequential(fc=sc.Linear("d"), act=sc.ReLU())
    return sc.table(sc.Sequential(backbone=sc.Sequential(z=stage, a=stage)), (1, 4)).subs(d=8)


@pytest.mark.parametrize(("depth", "names"), [
    (1, ["backbone"]), (2, ["backbone/z", "backbone/a"]), (None, ["backbone/z/fc", "backbone/a/fc"]),
])  # fmt: skip
def test_bars_go_as_deep_as_is_asked_in_the_order_of_execution(depth: int | None, names: list[str]) -> None:
    table = nested()
    upper, lower = table.plot("memory", depth=depth).axes
    assert [label.get_text() for label in lower.get_xticklabels()] == names
    assert sum(heights(lower)) * 1024 == pytest.approx(4 * table.params)
    assert len(heights(upper)) == len(names)
    (axes,) = table.plot("energy", model="fused", depth=depth).axes  # an activation is of the kernel before it
    assert sum(heights(axes)) == pytest.approx(1e3 * float(sc.energy(table, model="fused").joules))
    assert [label.get_text() for label in axes.get_xticklabels()] == names


@pytest.mark.campaign
@pytest.mark.usefixtures("traced_once")
def test_the_blocks_of_a_traced_model_stand_as_they_run() -> None:
    from examples.gpt import GPT

    table = sc.trace(GPT, "int32[n,N]").subs(n=1, N=64, d=96, H=12, L=2, V=100)
    _, lower = table.plot("memory", depth=1).axes
    assert [label.get_text() for label in lower.get_xticklabels()] == ["tokens", "block_# x 2", "norm"]
    assert lower.lines[0].get_ydata()[0] * 1024 == pytest.approx(4 * 100 * 96)  # the embedding's table comes first


def test_a_notebook_shows_the_picture() -> None:
    made = MOBILENET.plot("memory")._repr_png_()
    assert made.startswith(b"\x89PNG")
    assert int.from_bytes(made[16:20], "big") <= 900


def test_latency_runs_over_the_batch() -> None:
    table = sc.models.resnet18(n="n")
    left, right = table.plot("latency", A100, model="fused").axes
    found = sc.latency(table, A100, model="fused")
    batches, milliseconds = left.lines[0].get_data()
    assert milliseconds[0] == pytest.approx(1000 * float(found.value(n=1)))
    assert right.lines[0].get_ydata()[-1] == pytest.approx(batches[-1] / float(found.value(n=int(batches[-1]))))


def test_energy_bars_add_up() -> None:
    (axes,) = sc.models.alexnet().plot("energy").axes
    assert sum(heights(axes)) == pytest.approx(1e3 * float(sc.energy(sc.models.alexnet()).joules))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_files_are_the_same_each_time(suffix: str, tmp_path: Path) -> None:
    pictures = []
    for name in ("a", "b"):
        file = tmp_path / (name + suffix)
        sc.models.alexnet().plot("memory", file=file)
        pictures.append(file.read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix])


def test_what_lies_in_no_block_is_drawn_too() -> None:
    """A layer by itself: 4 x 8 in and 4 x 10 out, 8 x 10 + 10 parameters, of 4 bytes each; its bar is named."""
    upper, lower = sc.table(sc.Linear(c_o=10), (4, 8)).plot("memory").axes
    assert heights(upper) == [4 * (4 * 8 + 4 * 10) / 1024]
    assert heights(lower) == [4 * 90 / 1024]
    assert [label.get_text() for label in lower.get_xticklabels()] == ["linear"]


def test_a_roofline_of_no_operation_is_no_picture() -> None:
    gather = sc.table(sc.Embedding(V=10, d=4), (2, 3))
    assert heights(gather.plot("memory").axes[0]) != []
    with pytest.raises(sc.SymcostError, match="no kernel of the table does an operation: draw its memory"):
        gather.plot("roofline", A100)


BAD = [
    (dict(kind="pie"), "unknown picture 'pie': use memory, roofline, latency, energy"),
    (dict(kind="roofline"), "a kernel needs a number for n: give n="),
    (dict(depth=0, at={"n": 1}), "depth=0 must be a positive integer"),
    (dict(kind="memory", file="x.gif"), r"a picture is written as \.png, \.svg or \.pdf: x.gif is none of them"),
    (dict(kind="memory", file="/nowhere/x.png"), "there is no directory /nowhere"),
    (dict(kind="latency", on=A100, batch="q"), "batch='q' is no symbol of the table"),
    (dict(kind="latency", on=A100, at={"n": 1}), "n is what the picture runs over"),
    (dict(kind="memory", on=A100), "a block needs a number for n"),
    (dict(kind="energy", on="tiny-ai"), "no published peak for float32"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[message for _, message in BAD])
def test_what_cannot_be_drawn(options: dict[str, object], message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message):
        sc.models.alexnet(n="n").plot(**options)  # type: ignore[arg-type]


def test_matplotlib_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(sc.SymcostError, match="a picture needs matplotlib, which is not installed: pip install"):
        MOBILENET.plot("memory")
