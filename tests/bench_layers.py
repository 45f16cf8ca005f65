"""Speed of the layers' road and of the start: ``pytest tests/bench_layers.py --benchmark-only -s``.

Each row prints its median seconds beside the aim. Nothing is asserted: a benchmark is read, not passed.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ratios import told

import symcost as sc

ROUNDS = 5
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Environment of a fresh interpreter, which finds modules compiled from the second time on, as those of an installation are."""
RESNET = dict(n="n", r="r", L1="L1", L2="L2", L3="L3", L4="L4", w="w", classes="C")
DECODER = dict(n="n", N="N", d="d", H="H", H_kv="G", L="L", d_f="f", V="V")


def totals(table: sc.CostTable) -> list[Any]:
    """Every total, as a reader asks for it."""
    return [table.total(convention) for convention in sc.CONVENTIONS]


TABLES = [
    pytest.param("ResNet-152 in 8 symbols", lambda: totals(sc.models.resnet152(**RESNET)), 0.5, id="resnet152"),
    pytest.param("LLaMA-like decoder in 8 symbols", lambda: totals(sc.models.llama(**DECODER)), 0.5, id="llama"),
]


@pytest.mark.parametrize(("name", "make", "aim"), TABLES)
def test_table(benchmark: Any, name: str, make: Callable[[], Any], aim: float) -> None:
    make()  # imports
    benchmark.pedantic(make, rounds=ROUNDS)
    told(benchmark, name, "import sympy", benchmark.stats.stats.median, processor_seconds("-c", "import sympy"), aim)


def processor_seconds(*arguments: str) -> float:
    """Seconds of processor time that a fresh interpreter takes: what else runs on the machine does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, env=COMPILED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


COLD = [
    pytest.param(("-m", "symcost", "table", "alexnet"), "import sympy, typer, rich", 1.5, id="symcost table alexnet"),
    pytest.param(("-c", "import symcost"), "import sympy", 1.3, id="import symcost"),
    pytest.param(
        ("-m", "symcost", "trace", "flax.linen:Dense", "float32[n,c]"),
        "import jax, flax.linen",
        1.3,
        id="symcost trace",
    ),
]


@pytest.mark.parametrize(("command", "bare", "aim"), COLD)
def test_cold_start(benchmark: Any, command: tuple[str, ...], bare: str, aim: float) -> None:
    theirs, ours = [], []
    processor_seconds(*command)  # modules are compiled
    for _ in range(2 * ROUNDS):
        theirs.append(processor_seconds("-c", bare))
        ours.append(processor_seconds(*command))
    benchmark.pedantic(lambda: processor_seconds(*command), rounds=1)
    told(benchmark, " ".join(command), bare, statistics.median(ours), statistics.median(theirs), aim)
