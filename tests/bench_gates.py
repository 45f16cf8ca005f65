"""Speed of saved tables, gates and the page, each against its peer in the same run.

Run by ``pytest tests/bench_gates.py --benchmark-only -s``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.benchmark(group="from a cold start")
@pytest.mark.parametrize(
    "command",
    [("-c", "import sympy"), ("-m", "symcost", "check"), ("-m", "symcost", "diff", "net.json", "net.json")],
    ids=["import sympy", "check", "diff"],
)
def test_cold_start(benchmark: Any, folder: Path, command: tuple[str, ...]) -> None:
    benchmark.pedantic(process, (folder, *command), rounds=3)


@pytest.mark.benchmark(group="loading against building")
def test_load(benchmark: Any, folder: Path) -> None:
    assert benchmark(sc.load, folder / "net.json").params


@pytest.mark.benchmark(group="loading against building")
def test_build(benchmark: Any) -> None:
    assert benchmark(lambda: sc.models.resnet50(n="n", r="r").params)


@pytest.mark.benchmark(group="the page of a 50-layer network")
def test_page(benchmark: Any, folder: Path) -> None:
    costs = sc.load(folder / "net.json")
    assert len(benchmark.pedantic(render, ([("net", costs)],), rounds=3).encode()) < 3_000_000
