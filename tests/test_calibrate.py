"""Calibration: the entry describes this machine, and predictions with it can be compared with real runs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import symcost as sc
from symcost.cli.main import main
from symcost.devices.read import parsed
from symcost.estimate.calibration import check, measure
from symcost.estimate.calibration.blocks import blocks
from symcost.estimate.calibration.timing import Timed, in_rounds
from symcost.estimate.time.work import kernels
from symcost.report.subjects import calibration


def test_timing_is_exact_nanoseconds_of_a_real_run() -> None:
    import jax.numpy as jnp

    runs = [Timed(lambda a: a @ a, jnp.ones((size, size))) for size in (16, 512)]
    in_rounds(runs, 0.02)
    small, large = (each.seconds for each in runs)
    assert (small * 10**9).denominator == 1
    assert 0 < small < large


def test_the_entry_is_a_device_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [block for block in blocks() if block.name.startswith(("convolution 16", "mlp 48", "norm 160"))]
    monkeypatch.setattr(measure, "blocks", lambda: iter(few))
    file = tmp_path / "host.toml"
    assert main(["calibrate", "--seconds", "0.05", "--output", str(file)]) == 0
    said = capsys.readouterr().out
    assert "convolution 16 x 16, 64" in said
    assert "mean error of the entry: " in said
    host = sc.device(str(file))
    assert host.name == "host"
    assert "measured by symcost calibrate with jax" in host.source
    assert {"convolution", "product"} <= set(host.measured)
    table = sc.models.resnet18(r=64)
    steps = sc.latency(table, host).steps
    assert {step.kernel.kind for step in steps if step.apart} >= {"convolution", "product"}
    assert all(step.apart == (step.kernel.kind in host.measured) for step in steps)


def test_a_block_adds_what_is_in_it() -> None:
    """By hand: 16 x 16 places of 64 channels, kernel 3, a norm and a ReLU, in float32."""
    block = next(block for block in blocks() if block.name == "convolution 16 x 16, 64")
    one, three = (measure.amounts(kernels(sc.table(block.network(t), block.x), "fused")) for t in (1, 3))
    macs, out = 16 * 16 * 64 * 64 * 9, 16 * 16 * 64
    added = {part: (amount - one.get(part, 0)) // 2 for part, amount in three.items()}
    assert added["convolution", "operations"] == 2 * macs + 4 * out + 2 * 64  # the norm, with two a channel; the ReLU
    assert added["convolution", "weights"] == 4 * (64 * 64 * 9 + 4 * 64)  # the norm reads its moving averages too
    assert added["convolution", "activations"] == 4 * 2 * out
    assert added["convolution", "overhead"] == 1
    assert not added["other", "operations"]  # the pool at the end stands in both


TRUE = {"product": (2e-11, 1e-10, 3e-11, 5e-6), "other": (1e-11, 0.0, 2e-11, 0.0)}
"""A made-up machine: seconds of an operation, a byte of weights, a byte of activations, a kernel."""


def test_the_rates_of_a_machine_are_found_again() -> None:
    found = []
    for kind, costs in TRUE.items():
        for size in (10, 20, 50, 100, 300):
            sizes = {
                "operations": 10**4 * size**2,
                "weights": 10**4 * size,
                "activations": 10**7 // size,
                "overhead": 1,
            }
            seconds = sum(sizes[part] * cost for part, cost in zip(measure.PARTS, costs, strict=True))
            amounts = {(kind, part): amount for part, amount in sizes.items()}
            found.append(measure.Measurement("copy", amounts, Fraction(seconds)))
    fit = measure.fitted(found)
    for kind, costs in TRUE.items():
        for part, cost in zip(measure.PARTS, costs, strict=True):
            assert fit.get((kind, part), 0) == pytest.approx(cost, rel=1e-4, abs=1e-16)
    entry = measure.entry("host", [each for each in found if ("other", "operations") in each.amounts])
    host = parsed(entry, "the entry")["host"]
    assert float(host.measured["other"].operations) == pytest.approx(1e11, rel=1e-4)
    assert (host.measured["other"].weights, set(host.measured)) == (None, {"other"})
    off = measure.errors(entry, "host", found[5:])
    assert all(abs(error) < Fraction(1, 1000) for error in off)


def test_a_part_without_effect_on_any_time_is_none() -> None:
    """Exact times of one part alone: whatever the solver's rounding gives to the others, they are left out."""
    amounts = [
        {("product", "operations"): 10**k, ("product", "weights"): 3**k, ("product", "overhead"): 1}
        for k in range(5, 11)
    ]
    found = [
        measure.Measurement("copy", each, Fraction(each["product", "operations"], 10**11)) for each in amounts
    ]  # fmt: skip
    assert measure.fitted(found) == {("product", "operations"): pytest.approx(1e-11, rel=1e-9)}


def test_a_small_part_with_an_effect_is_kept() -> None:
    amounts = [{("product", "operations"): 10**k, ("product", "overhead"): 1} for k in range(3, 9)]
    found = [
        measure.Measurement("copy", each, Fraction(each["product", "operations"], 10**11) + Fraction(1, 10**12))
        for each in amounts
    ]
    fit = measure.fitted(found)
    assert fit["product", "overhead"] == pytest.approx(1e-12, rel=1e-4)


def test_noise_makes_neither_a_block_nor_a_peak() -> None:
    """Three blocks as fast as one are dropped; a block of a nanosecond does not set the peak."""
    import jax.numpy as jnp

    block = next(iter(blocks()))
    few, many = (Timed(lambda x: x, jnp.ones(1)) for _ in range(2))
    few.best = many.best = 3000
    assert measure._added(block, few, many) is None
    many.best = 7000
    added = measure._added(block, few, many)
    assert added is not None
    assert added.seconds == Fraction(2, 10**6)
    copy = {("other", "operations"): 10**6, ("other", "activations"): 10**6}
    found = [
        measure.Measurement("copy 1", copy, Fraction(1, 1000)),
        measure.Measurement("noise", copy, Fraction(1, 10**9)),
    ]
    assert parsed(measure.entry("host", found), "the entry")["host"].operations("float32") == 10**9


def test_predictions_are_compared_with_real_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = sc.Sequential(conv=sc.Conv2d(c_o=8, k=3, p=1), gap=sc.GlobalAvgPool(), fc=sc.Linear(10))
    monkeypatch.setattr(check, "networks", lambda: iter([("small", "r=16", net, (1, 3, 16, 16))]))
    host = sc.Device(name="host", source="round numbers", peak={"float32": 10**11}, memories=(
        sc.MemoryLevel(name="ram", bandwidth=10**10, holds=("weights", "activations")),))  # fmt: skip
    (found,) = check.compared(host, 0.02)
    assert found.predicted == sc.latency(sc.table(net, (1, 3, 16, 16)), host, model="fused").value()
    assert found.measured > 0
    assert found.error == abs(found.predicted - found.measured) / found.measured
    shown = calibration.compared([found, check.Compared("other", "r=1", Fraction(3), Fraction(2))])
    assert "mean error of other: 50%" in shown
    assert shown.splitlines()[-1].startswith("mean error: ")


def test_the_networks_compared_are_the_published_ones() -> None:
    names = [name for name, *_ in check.networks()]
    assert set(names) == {"resnet18", "mobilenet_v2", "vit", "gpt block"}
    assert all(names.count(name) >= 3 for name in names)
