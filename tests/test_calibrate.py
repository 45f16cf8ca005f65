"""Calibration: the entry describes this machine, and predictions with it can be compared with real runs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import symcost as sc
from symcost.calibrate import check, measure
from symcost.calibrate.timing import fastest
from symcost.cli import main
from symcost.devices.read import parsed
from symcost.report import calibration


def test_timing_is_exact_nanoseconds_of_a_real_run() -> None:
    import jax.numpy as jnp

    small, large = (fastest(lambda a: a @ a, jnp.ones((size, size)), seconds=0.02) for size in (16, 512))
    assert (small * 10**9).denominator == 1
    assert 0 < small < large


def test_the_entry_is_a_device_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "host.toml"
    assert main(["calibrate", "--seconds", "0.01", "--output", str(file)]) == 0
    said = capsys.readouterr().out
    assert "product" in said
    assert "grouped" in said
    host = sc.device(str(file))
    assert host.name == "host"
    assert "measured by symcost calibrate with jax" in host.source
    assert host.efficiency is not None
    assert 0 < host.efficiency["grouped"] < host.efficiency["product"] <= 1  # depthwise never reaches more than a GEMM
    table = sc.models.resnet18(r=64)
    assert sc.latency(table, host).seconds > sc.latency(table, host, efficiency=1, overhead=0).seconds


def test_rates_become_the_entry() -> None:
    """Numbers of a made-up machine: peak from the best product, medians for what is reached of it."""
    found = [
        measure.Measurement("launch", (16,), 1, Fraction(1, 10**6)),
        measure.Measurement("product", (8, 8, 8), 10**9, Fraction(1, 100)),
        measure.Measurement("convolution", (8, 8, 8, 1), 10**9, Fraction(1, 50)),
        measure.Measurement("grouped", (8, 8, 1), 10**6, Fraction(1, 1000)),
        measure.Measurement("other", (8, 8), 10**7, Fraction(1, 1000)),
        measure.Measurement("weights", (8, 8, 8), 10**8, Fraction(1, 20)),
        measure.Measurement("copy", (8,), 10**8, Fraction(1, 100)),
    ]
    host = parsed(measure.entry("host", found), "the entry")["host"]
    assert host.operations("float32") == 10**11
    assert host.efficiency == {
        "product": Fraction(3, 4),
        "grouped": Fraction(1, 100),
        "other": Fraction(1, 10),
        "weights": Fraction(1, 5),
    }
    assert host.bandwidth("weights") == 10**10
    assert host.overhead == Fraction(1, 10**6)


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
