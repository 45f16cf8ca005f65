"""Meshes without devices: the collectives of a compiled program are those that the partitioning asks for, byte by byte."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import pytest
from effort import by_turns

import symcost as sc
from symcost.hlo import parse
from symcost.hlo.counting.collectives import exchanged
from symcost.referee.compilers.answer import Failure, TargetAnswer
from symcost.referee.compilers.compile import CompileJob, Placement
from symcost.referee.compilers.program import program_at
from symcost.referee.compilers.source import ProgramSource
from symcost.referee.compilers.targets import TPU, target
from symcost.referee.verdicts import memory
from symcost.referee.verdicts.verdict import Compiled

pytestmark = pytest.mark.usefixtures("traced_once")

N, D, LAYERS = 256, 512, 2
HALF = 2
"""Bytes of a bfloat16."""
KERNEL = 4 * D * D * HALF
WIDENED = "widened from bfloat16 to float32"


class MLP(nn.Module):
    """Products alone, in bfloat16: two of d x 4d a layer."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for k in range(LAYERS):
            half = {"use_bias": False, "dtype": jnp.bfloat16, "param_dtype": jnp.bfloat16}
            h = nn.Dense(4 * self.d, name=f"up{k}", **half)(x)
            x = nn.Dense(self.d, name=f"down{k}", **half)(nn.relu(h))
        return x


PLANS: dict[str, tuple[dict[str, int], dict[str, Any], dict[str, int]]] = {
    # Every device holds a part of every kernel and gathers them all.
    "parameters sharded": (
        {"data": 8}, {"kernel": ("data",), "inputs": ("data",)}, {"all-gather": 2 * LAYERS * KERNEL}
    ),
    # Columns of the first product, rows of the second: one sum of the results a layer.
    "tensors sharded": (
        {"data": 2, "model": 4}, {"inputs": ("data",), "up": (None, "model"), "down": ("model", None)},
        {"all-reduce": LAYERS * N // 2 * D * HALF},
    ),
    # Nothing but the batch is split: nothing is said.
    "data parallel": ({"data": 8}, {"inputs": ("data",)}, {}),
}  # fmt: skip
"""Mesh, shardings, and bytes of each kind that arrive at one device, by hand."""
COMPILERS = ("cpu", "tpu-v5e", "tpu-v5p", "cuda-h100")


def needs(name: str) -> None:
    """Skip, in words, where this machine cannot compile for it."""
    problem = target(name).problem()
    if problem is not None:
        pytest.skip(problem)


@cache
def compiled(name: str, plan: str) -> tuple[sc.Verdict, Compiled]:
    needs(name)
    mesh, shard, _ = PLANS[plan]
    verdict = sc.verify(MLP, "bfloat16[n,d]", at={"n": N, "d": D}, targets=[name], mesh=mesh, shard=shard)
    assert dict(verdict.failures) == {}
    return verdict, verdict.targets[0]


@pytest.mark.parametrize(("name", "plan"), [
    pytest.param(name, plan, marks=by_turns(i, j, 2)) for i, name in enumerate(COMPILERS) for j, plan in enumerate(PLANS)
])  # fmt: skip
def test_collectives_are_those_of_the_partitioning(name: str, plan: str) -> None:
    verdict, made = compiled(name, plan)
    assert verdict
    wanted = PLANS[plan][2]
    times = 2 if name == "cpu" else 1  # which exchanges bfloat16 as float32, and says so
    assert made.collectives == {kind: times * size for kind, size in wanted.items()}
    assert made.widened == ({f"{kind} {WIDENED}": size for kind, size in wanted.items()} if name == "cpu" else {})


def test_the_widening_has_its_line_in_the_chain() -> None:
    verdict, _ = compiled("cpu", "parameters sharded")
    assert f"without: all-gather {WIDENED} (bytes)" in " ".join(str(verdict).split())


BY_HAND = """
import sys
import jax, numpy as np
from symcost.referee.compilers import worker
platform, topology, config, layers, wide = *sys.argv[1:4], *map(int, sys.argv[4:])
devices = worker.devices({"platform": platform, "topology": topology, "config": config}, 8)
mesh, spec = jax.sharding.Mesh(np.array(devices), ("data",)), jax.sharding.PartitionSpec("data")
def body(x, *kernels):
    for kernel in kernels:
        x = jax.nn.relu(x @ jax.lax.all_gather(kernel, "data", tiled=True))
    return x
placed = jax.sharding.NamedSharding(mesh, spec)
shapes = [(64 * 8, wide), *[(wide, wide)] * layers]
arrays = [jax.ShapeDtypeStruct(shape, "bfloat16", sharding=placed) for shape in shapes]
lowered = jax.jit(jax.shard_map(body, mesh=mesh, in_specs=spec, out_specs=spec)).lower(*arrays)
print(lowered.compile(compiler_options=worker.OPTIONS[platform]).as_text())
"""


@pytest.mark.parametrize("name", COMPILERS)
def test_all_gathers_of_one_channel_are_each_counted(name: str) -> None:
    """In a program written for every device all collectives bear the same channel."""
    needs(name)
    each, layers, wide = target(name), 6, 512
    topology = each.grid(8) if each.platform == TPU else ""
    command = [sys.executable, "-c", BY_HAND, each.platform, topology, each.config, str(layers), str(wide)]
    done = subprocess.run(command, env=each.environment(8), capture_output=True, text=True, check=True)
    module = parse(done.stdout[done.stdout.index("HloModule") :])
    found, size = exchanged(module)["all-gather"], layers * wide * wide * HALF
    assert (found.bytes, found.widened) == ((2 * size, {WIDENED: size}) if name == "cpu" else (size, {}))


def answered(name: str, devices: int) -> TargetAnswer | Failure:
    """What a compiler says of a product with its batch split over so many devices."""
    each = target(name)
    source = ProgramSource(lambda x, w: x @ w, (f"float32[{devices},128]", "float32[128,128]"), {}, function=True)
    job = CompileJob(
        source, program_at(source.model(), {}), Placement({"data": devices}, {"inputs/0": ("data",)}), use_cache=False
    )
    return job.start([each])[name].result()


@pytest.mark.parametrize(("name", "devices"), [
    ("tpu-v5p", 512), ("tpu-v6e", 128),
    *(pytest.param(*row, marks=pytest.mark.campaign) for row in (("tpu-v5p", 8960), ("tpu-v4", 4096))),
])  # fmt: skip
def test_large_meshes_are_compiled_for(name: str, devices: int) -> None:
    needs(name)
    found = answered(name, devices)
    assert isinstance(found, TargetAnswer)
    assert memory.held(found)["results"] > 0


def test_a_program_that_its_compiler_cannot_print_still_gives_its_figures() -> None:
    verdict, made = compiled("tpu-7x", "parameters sharded")
    if not made.missing:
        pytest.skip("this libtpu prints the program: nothing is missing")
    assert (verdict.outcome, bool(verdict)) == ("INCOMPLETE", False)
    assert made.missing.startswith("tpu-7x answered with its figures, and with a program that cannot be counted: ")
    assert (made.recount, made.collectives) == (None, {})
    assert made.raw > 2 * N * D * 4 * D * 2 * LAYERS // 8  # the products of one device at least
    assert made.memory["arguments"] >= (2 * LAYERS * KERNEL + N * D * HALF) // 8
    assert made.memory["results"] == N * D * HALF // 8
    assert "INCOMPLETE at n=256, d=512: no program to count from tpu-7x; 7 checks passed" in str(verdict)
