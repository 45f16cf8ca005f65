"""Workers that break: each fault is a line with the cure, and the others answer."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from symcost.referee.compilers.answer import Failure, TargetAnswer
from symcost.referee.compilers.compile import CompileJob
from symcost.referee.compilers.gpus import GPUS
from symcost.referee.compilers.pool import Worker
from symcost.referee.compilers.program import JaxProgram, NotExportable, program_at
from symcost.referee.compilers.source import NotImportable, ProgramSource
from symcost.referee.compilers.targets import TARGETS, Target


def product(x: Any, y: Any) -> Any:
    """A program that exports."""
    return jnp.tanh(x @ y)


def shouting(x: Any) -> Any:
    """A program that does not: it calls back to Python."""
    return jax.pure_callback(lambda a: a, x, x) + 1


def deep(x: Any) -> Any:
    """A program that takes every compiler some time."""
    for index in range(400):
        x = jnp.sin(x @ x) * index
    return x


def made(function: Any, *specs: str) -> tuple[ProgramSource, JaxProgram]:
    source = ProgramSource(function, specs, {}, function=True)
    return source, program_at(source.model(), {})


def answers(
    function: Any, specs: tuple[str, ...], *targets: Target, **options: Any
) -> dict[str, TargetAnswer | Failure]:
    source, program = made(function, *specs)
    job = CompileJob(source, program, use_cache=False, **options)
    return {name: answer.result() for name, answer in job.start(targets).items()}


def needs(name: str) -> Target:
    """The target, or a skip that says why it cannot be."""
    problem = TARGETS[name].problem()
    if problem:
        pytest.skip(f"{name}: {problem}")
    return TARGETS[name]


def reason(answer: TargetAnswer | Failure) -> str:
    assert isinstance(answer, Failure)
    assert "\n" not in answer.reason
    return answer.reason


CPU = TARGETS["cpu"]
MATRIX = "float32[64,64]"


def test_an_answer_has_text_figures_and_memory() -> None:
    found = answers(product, (MATRIX, MATRIX), CPU)["cpu"]
    assert isinstance(found, TargetAnswer)
    assert found.text.startswith("HloModule")
    assert found.analysis["flops"] >= 2 * 64**3
    assert found.memory["argument_size_in_bytes"] == 2 * 4 * 64**2


def test_a_compiler_that_takes_too_long_is_ended_and_the_others_answer() -> None:
    begun = time.monotonic()
    found = answers(deep, (MATRIX,), CPU, timeout=0.5)
    assert reason(found["cpu"]) == (
        "cpu did not answer within 0.5 s: allow more time with timeout=..., or choose smaller sizes"
    )
    assert time.monotonic() - begun < 30


def test_a_worker_that_is_killed_says_so() -> None:
    _, program = made(deep, MATRIX)
    with Worker(CPU) as worker:
        killer = threading.Timer(0.3, lambda: os.kill(worker.process.pid, signal.SIGKILL))
        killer.start()
        found = worker.ask(program.exported("cpu"), None, {"mesh": {}, "topology": "", "partitions": []}, 60)
        killer.join()
    assert reason(found) == (
        "the worker of cpu was killed by SIGKILL: if memory ran out, choose smaller sizes; else try again"
    )


def test_no_process_and_no_file_is_left_behind() -> None:
    with Worker(CPU) as worker:
        pass
    assert worker.process.poll() is not None
    assert not worker.directory.exists()


def test_a_compiler_that_aborts_is_one_line_and_the_others_answer() -> None:
    h100 = needs("cuda-h100")
    # A generation that the compilers of CUDA 12 do not know: it ends its process.
    config = replace(GPUS["b200"], capability=(11, 0), title="Thor").config()
    thor = replace(h100, name="cuda-thor", config=config)
    found = answers(product, (MATRIX, MATRIX), thor, CPU)
    if isinstance(found["cuda-thor"], TargetAnswer):
        pytest.skip("this version of the CUDA plug-in knows compute capability 11.0: nothing aborts")
    assert reason(found["cuda-thor"]).startswith("cuda-thor: the compiler ")
    assert "symcost[cuda]" in reason(found["cuda-thor"])
    assert isinstance(found["cpu"], TargetAnswer)


def test_a_program_too_large_for_the_device_says_to_choose_smaller_sizes() -> None:
    found = answers(product, ("float32[200000,200000]", "float32[200000,200000]"), needs("tpu-v5e"))
    assert "choose smaller sizes" in reason(found["tpu-v5e"])


def test_a_generation_that_the_compiler_does_not_know_says_what_to_install() -> None:
    target = replace(needs("tpu-v5e"), name="tpu-v9", grids={1: "v9:2x2"})
    assert "pip install -U libtpu" in reason(answers(product, (MATRIX, MATRIX), target)["tpu-v9"])


def test_what_cannot_be_exported_is_imported_by_name() -> None:
    source, program = made(shouting, MATRIX)
    with pytest.raises(NotExportable):
        program.exported("cpu")
    assert source.reference()["name"] == "test_xla_pool:shouting"
    assert isinstance(answers(shouting, (MATRIX,), CPU)["cpu"], TargetAnswer)


def test_what_can_be_neither_exported_nor_imported_says_so() -> None:
    found = answers(lambda x: shouting(x), (MATRIX,), CPU)
    assert reason(found["cpu"]).startswith("cpu: the program cannot be exported (")
    assert reason(found["cpu"]).endswith("cannot be imported by name: define it at the top level of a module")


def test_what_cannot_be_told_to_another_process_is_named() -> None:
    source, _ = made(shouting, MATRIX)
    with pytest.raises(NotImportable, match=r"call=.* cannot be told to another process: give it as texts and numbers"):
        replace(source, call={"scale": object()}).reference()


def test_a_target_without_its_package_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "problem", lambda self: None if self.name == "cpu" else "libtpu not installed")
    found = answers(product, (MATRIX, MATRIX), TARGETS["tpu-v4"], CPU)
    assert reason(found["tpu-v4"]) == "tpu-v4: libtpu not installed"
    assert isinstance(found["cpu"], TargetAnswer)


def test_stopping_ends_what_runs() -> None:
    source, program = made(deep, MATRIX)
    job = CompileJob(source, program, use_cache=False)
    running = job.start([CPU])
    time.sleep(0.5)
    job.stop()
    assert "stopped" in reason(running["cpu"].result(timeout=30))


def test_the_same_program_is_answered_from_the_cache_and_another_is_not() -> None:
    events: list[str] = []
    for size in (64, 64, 32):
        source, program = made(product, *[f"float32[{size},{size}]"] * 2)
        job = CompileJob(source, program, on_event=lambda _, event: events.append(event))
        assert isinstance(job.start([CPU])["cpu"].result(), TargetAnswer)
    assert events == ["compiling", "compiled", "cached", "compiling", "compiled"]
