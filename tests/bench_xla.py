"""Speed of the referee against the compiler in one run: ``pytest tests/bench_xla.py --benchmark-only -s``.

Each row prints ours and the peer's median seconds and their ratio. Nothing is asserted: a benchmark is read, not passed.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from ratios import told
from referee_cases import IMAGE, resnet50

import symcost as sc
from symcost.hlo import analyse
from symcost.referee.compilers.program import JaxProgram, program_at
from symcost.referee.compilers.source import ProgramSource
from symcost.referee.verdicts import verify

ROUNDS = 3
CALL = {"train": False}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No answer of an earlier run."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setitem(os.environ, "SYMCOST_CACHE", folder)
        yield


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median wall time."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def traced() -> JaxProgram:
    """ResNet-50 at batch 1, traced anew."""
    source = ProgramSource(resnet50, IMAGE, {"n": 1}, CALL)
    return program_at(source.model(), source.at)


@lru_cache
def lowered() -> Any:
    """The program, lowered."""
    return traced().lowered()


def row(benchmark: Any, name: str, peer: str, theirs: float, aim: float) -> None:
    """Print and keep a row."""
    told(benchmark, name, peer, benchmark.stats.stats.median, theirs, aim)


def test_analysis_of_the_lowered_program_against_lowering(benchmark: Any) -> None:
    text = lowered().compiler_ir("hlo").as_hlo_module().to_string()
    programs = [traced() for _ in range(ROUNDS)]
    peer = seconds(lambda: programs.pop().lowered())
    benchmark.pedantic(lambda: analyse(text), rounds=ROUNDS)
    row(benchmark, "analyse, ResNet-50", "lower of the traced program", peer, 0.5)


def test_analysis_of_the_lowered_program_against_lower_of_the_model(benchmark: Any) -> None:
    text = lowered().compiler_ir("hlo").as_hlo_module().to_string()
    model, x = resnet50(), jax.ShapeDtypeStruct((1, 224, 224, 3), "float32")
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros(x.shape), **CALL))
    peer = seconds(lambda: jax.jit(lambda v, x: model.apply(v, x, **CALL)).lower(variables, x))
    benchmark.pedantic(lambda: analyse(text), rounds=ROUNDS)
    row(benchmark, "analyse, ResNet-50 from the model", "jit(apply).lower()", peer, 0.5)


def test_analysis_of_an_optimised_program(benchmark: Any) -> None:
    peer = seconds(lambda: traced().lowered().compile(), rounds=1)
    text = lowered().compile().as_text()
    benchmark.pedantic(lambda: analyse(text, trips=True, calls=True), rounds=ROUNDS)
    row(benchmark, "analyse, optimised ResNet-50", "trace, lower and compile it", peer, 0.3)


def verdict() -> sc.Verdict:
    """Our count and the CPU's."""
    return sc.verify(resnet50, *IMAGE, at={"n": 1}, call=CALL, targets=["cpu"])


def forget() -> None:
    """Nothing remembered in this process, nothing kept on disk."""
    verify._derived.cache_clear()
    os.environ["SYMCOST_CACHE"] = tempfile.mkdtemp(dir=os.environ["SYMCOST_CACHE"])


def test_verify_against_tracing_lowering_and_compiling(benchmark: Any) -> None:
    def peer() -> None:
        sc.trace(resnet50, *IMAGE, call=CALL)
        traced().lowered().compile()

    theirs = seconds(peer)
    benchmark.pedantic(verdict, setup=forget, rounds=ROUNDS)
    row(benchmark, "verify on CPU, ResNet-50", "trace, lower and compile", theirs, 1.5)


def test_the_second_verify(benchmark: Any) -> None:
    first = seconds(verdict, rounds=1)
    benchmark.pedantic(verdict, rounds=ROUNDS)
    row(benchmark, "a second identical verify, ResNet-50", "the first", first, 0.1)
