"""The process that compiles: one program, one target, one answer. Started by :mod:`symcost.referee.compilers.pool`, never imported.

It reads one JSON line from standard input, with the keys of :class:`Request`, and writes ``answer.json`` and the texts of
the optimised programs into the directory named there. Whatever the compilers print or break stays in here.
"""

from __future__ import annotations

import gzip
import importlib
import json
import sys
from pathlib import Path
from typing import Any, TypedDict

import jax  # before anything is read: the import goes on while the other side still traces

NO_LIBRARY_FUSION = {"xla_cpu_experimental_ynn_fusion_type": ""}
"""On the CPU, fusions into YNNPACK keep their temporaries to themselves: without them memory shows."""
OPTIONS: dict[str, dict[str, Any]] = {
    "cpu": {"xla_backend_optimization_level": 0},  # of machine code: programs and memory are planned before
    "cuda": {"xla_gpu_autotune_level": 0},  # which would time kernels on the GPU
    "tpu": {},
}
"""What each platform's compiler is told, so that it leaves out what no figure depends on."""


class Request(TypedDict):
    """What a worker is told. ``program`` is a file, or null when the model is to be imported from ``reference``."""

    directory: str
    platform: str
    topology: str
    config: str
    mesh: dict[str, int]
    partitions: list[list[list[str]]]
    gradients: bool
    x64: bool
    program: str | None
    reference: dict[str, Any] | None
    path: list[str]


def devices(request: Request, number: int) -> list[Any]:
    """The devices to compile for, none of which need exist."""
    if request["platform"] == "cpu":
        return jax.devices("cpu")[:number]
    from jax.experimental import topologies

    if request["platform"] == "tpu":
        return topologies.get_topology_desc(platform="tpu", topology_name=request["topology"]).devices[:number]
    return topologies.get_topology_desc(
        platform="cuda", topology_name="", topology=f"1x1x{number}", target_config=request["config"]
    ).devices[:number]


def program(request: Request) -> tuple[Any, list[Any]]:
    """The function to compile and its abstract arguments."""
    if request["program"] is not None:
        from jax import export

        exported = export.deserialize(bytearray(Path(request["program"]).read_bytes()))
        return exported.call, [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in exported.in_avals]
    from symcost.referee.compilers.program import program_at
    from symcost.referee.compilers.source import ProgramSource
    from symcost.tracing.mesh.asking.laid import Laid

    sys.path[:0] = request["path"]
    assert request["reference"] is not None
    made = program_at(*ProgramSource.restored(request["reference"]))
    function, arrays = made.function
    if request["gradients"]:  # an exported program has them laid already
        cuts = tuple(tuple(tuple(axes) for axes in cut) for cut in request["partitions"])
        function = made.with_gradients_as(Laid(request["mesh"], cuts))
    return function, arrays


def lower(request: Request) -> Any:
    """The program lowered for the target's devices."""
    function, arrays = program(request)
    if not request["mesh"]:
        one = jax.sharding.SingleDeviceSharding(devices(request, 1)[0])
        return jax.jit(function, in_shardings=one, out_shardings=one, keep_unused=True).lower(*arrays)
    import numpy as np

    sizes = list(request["mesh"].values())
    grid = np.array(devices(request, int(np.prod(sizes)))).reshape(sizes)
    mesh = jax.sharding.Mesh(grid, tuple(request["mesh"]))

    def laid(cut: list[list[str]]) -> Any:
        return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*(tuple(axes) or None for axes in cut)))

    placed = list(map(laid, request["partitions"]))
    return jax.jit(function, in_shardings=placed, keep_unused=True).lower(*arrays)


def analysed(compiled: Any) -> dict[str, float]:
    """XLA's own cost analysis; a compiler without devices may leave it to the generic one."""
    figures = compiled.cost_analysis()
    if figures is None:
        jaxlib = importlib.import_module("jaxlib._jax")
        figures = jaxlib.hlo_module_cost_analysis(
            jax.devices("cpu")[0].client, compiled.runtime_executable().hlo_modules()[0]
        )
    wanted = ("flops", "transcendentals", "bytes accessed")
    return {name: float(figures.get(name) or 0) for name in wanted}


def memory(compiled: Any) -> dict[str, int]:
    """Bytes by XLA's name, such as ``temp_size_in_bytes``."""
    stats = compiled.memory_analysis()
    names = [name for name in dir(stats) if name.endswith("_in_bytes")]
    return {name: int(getattr(stats, name)) for name in names}


def answer(request: Request) -> None:
    """Compile and write what was found."""
    directory = Path(request["directory"])
    jax.config.update("jax_enable_x64", request["x64"])
    lowered = lower(request)
    options = OPTIONS[request["platform"]]
    compiled = lowered.compile(compiler_options=options)
    answered: dict[str, Any] = {"analysis": analysed(compiled), "memory": memory(compiled), "memory_text": False}
    answered["unprinted"] = _printed(compiled, directory / "optimised.gz")
    if request["platform"] == "cpu":
        try:
            plain = lowered.compile(compiler_options=options | NO_LIBRARY_FUSION)
        except Exception as problem:  # a jaxlib that does not know the option: its figures stand as they are
            if "xla_cpu_experimental_ynn_fusion_type" not in str(problem):
                raise
        else:
            answered.update(memory=memory(plain), memory_text=True)
            _write(directory / "unfused.gz", plain.as_text())
    (directory / "answer.json").write_text(json.dumps(answered))


def _printed(compiled: Any, file: Path) -> str:
    """Write the program's text, or say why the compiler cannot print what it made."""
    try:
        text = compiled.as_text()
    except Exception as problem:  # libtpu refuses to print some of its asynchronous instructions
        return _line(problem)
    if not text:
        return "it has none"
    _write(file, text)
    return ""


def _line(problem: Exception) -> str:
    """An error in one line."""
    return f"{type(problem).__name__}: {(str(problem).strip() or 'no message').splitlines()[0]}"


def _write(file: Path, text: str) -> None:
    file.write_bytes(gzip.compress(text.encode(), compresslevel=1))


def main() -> None:
    """Answer the one request; an error becomes one line in ``problem.txt``."""
    request: Request = json.loads(sys.stdin.readline() or "null")
    if request is None:
        return  # the other side needed no answer after all
    try:
        answer(request)
    except Exception as problem:
        (Path(request["directory"]) / "problem.txt").write_text(_line(problem))
        raise


if __name__ == "__main__":
    main()
