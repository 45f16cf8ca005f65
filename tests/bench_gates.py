"""Speed of saved tables, gates and the page, each against its peer in the same run.

Run by ``pytest tests/bench_gates.py --benchmark-only -s``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ratios import told

import symcost as sc
from symcost.report.page.render import render

BUDGET = (
    '[models.net]\nmodel = "net.json"\n[[models.net.budgets]]\nover = { n = "1..64", r = "96..512" }\nmacs = "10 T"\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved ResNet-50 and its budget."""
    sc.models.resnet50(n="n", r="r").save(tmp_path / "net.json")
    (tmp_path / "symcost.toml").write_text(BUDGET)
    return tmp_path


def process(folder: Path, *command: str) -> None:
    """A process from a cold start."""
    subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)


def seconds(work: Callable[[], Any]) -> float:
    """Median wall time of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def built() -> Any:
    """The table that is loaded, made anew."""
    return sc.models.resnet50(n="n", r="r").params


@pytest.mark.parametrize(
    "command", [("-m", "symcost", "check"), ("-m", "symcost", "diff", "net.json", "net.json")], ids=["check", "diff"]
)
def test_cold_start(benchmark: Any, folder: Path, command: tuple[str, ...]) -> None:
    peer = seconds(lambda: process(folder, "-c", "import sympy"))
    benchmark.pedantic(process, (folder, *command), rounds=3)
    told(benchmark, f"symcost {command[2]} from a cold start", "import sympy", benchmark.stats.stats.median, peer, 3)


def test_load(benchmark: Any, folder: Path) -> None:
    peer = seconds(built)
    assert benchmark(sc.load, folder / "net.json").params
    told(benchmark, "load of ResNet-50", "building it", benchmark.stats.stats.median, peer, 1)


def test_page(benchmark: Any, folder: Path) -> None:
    costs, peer = sc.load(folder / "net.json"), seconds(built)
    assert len(benchmark.pedantic(render, ([("net", costs)],), rounds=3).encode()) < 3_000_000
    told(benchmark, "the page of ResNet-50", "building its table", benchmark.stats.stats.median, peer, 5)
