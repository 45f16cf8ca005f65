"""Targets are data with sources; what this machine lacks is said in one line with the cure."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import pytest

import symcost as sc
from symcost.referee.compilers import targets, worker
from symcost.referee.compilers.gpus import GPUS, Gpu
from symcost.referee.compilers.targets import TARGETS, TPU, target


def test_the_promised_targets_are_there() -> None:
    assert list(TARGETS) == [
        "cpu", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-7x", "cuda-t4", "cuda-a100", "cuda-orin", "cuda-rtx4090",
        "cuda-h100", "cuda-h200", "cuda-b200",
    ]  # fmt: skip


@pytest.mark.parametrize("each", TARGETS.values(), ids=lambda each: each.name)
def test_every_target_has_a_title_and_a_source(each: targets.Target) -> None:
    assert each.title
    assert each.source


@pytest.mark.parametrize("gpu", GPUS.values(), ids=lambda gpu: gpu.title)
def test_the_description_of_a_gpu_holds_its_figures(gpu: Gpu) -> None:
    text = gpu.config()
    assert f"core_count: {gpu.cores}\n" in text
    assert f"clock_rate_ghz: {gpu.clock // 1000}.{gpu.clock % 1000:03}\n" in text
    assert gpu.shared_block <= gpu.shared <= gpu.l2 <= gpu.memory


# NVIDIA's data sheets: memory bandwidth in GB/s, streaming multiprocessors, compute capability.
SHEETS = {
    "t4": (320, 40, (7, 5)), "a100": (2039, 108, (8, 0)), "orin": (204, 16, (8, 7)), "rtx4090": (1008, 128, (8, 9)),
    "h100": (3352, 132, (9, 0)), "h200": (4800, 132, (9, 0)), "b200": (7672, 148, (10, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", GPUS)
def test_figures_are_those_of_the_data_sheets(name: str) -> None:
    gpu = GPUS[name]
    assert (gpu.bandwidth // 10**9, gpu.cores, gpu.capability) == SHEETS[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tpu-v5", "unknown target 'tpu-v5': did you mean tpu-v5"),
        ("H1000", "unknown target 'H1000': "),
        ("rocm-mi300", "unknown target 'rocm-mi300': use cpu, tpu-v4"),
    ],
)
def test_an_unknown_target_is_named_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(sc.SymcostError, match=message.replace("(", r"\(")):
        target(name)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_version", lambda package: "" if package == "libtpu" else "1.0")
    assert target("tpu-v5e").problem() == "libtpu not installed: pip install 'symcost[tpu]'"
    assert target("cpu").problem() is None


def test_a_plug_in_of_another_version_names_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_version", lambda package: "0.11.0" if package == "jaxlib" else "0.10.2")
    problem = target("cuda-h100").problem()
    assert problem is not None
    assert problem.endswith("pip install jax-cuda12-plugin==0.11.0 jax-cuda12-pjrt==0.11.0")


def test_a_machine_without_ptxas_is_told_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_version", lambda package: "0.10.2")
    monkeypatch.setattr(targets, "ptxas", lambda: None)
    assert target("cuda-h100").problem() == (
        "no ptxas, the assembler of CUDA, on this machine: pip install nvidia-cuda-nvcc-cu12"
    )


def test_the_environment_is_the_workers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=somewhere")
    before = dict(os.environ)
    for each in TARGETS.values():
        made = each.environment()
        assert "XLA_FLAGS" not in made
        assert made["JAX_PLATFORMS"] == "cpu"
        assert ("TPU_WORKER_ID" in made) == (each.platform == TPU)
    assert target("cpu").environment(8)["XLA_FLAGS"] == "--xla_force_host_platform_device_count=8"
    assert dict(os.environ) == before


def test_a_topology_that_is_not_there_names_those_that_are() -> None:
    assert target("tpu-v5e").grid(16) == "v5e:4x4"
    with pytest.raises(sc.SymcostError, match="tpu-v5e has no topology of 7 devices here: use 1, 4, 8, 16"):
        target("tpu-v5e").grid(7)
    with pytest.raises(
        sc.SymcostError, match=r"no topology of 65 devices here: use 32, 64, 128, 192; the largest is 8960$"
    ):
        target("tpu-v5p").grid(65)


# cloud.google.com/tpu/docs/v5p, the common slices; a full pod is 8,960 chips.
SLICES = {
    4: "2x2x1", 8: "2x2x2", 32: "2x4x4", 64: "4x4x4", 128: "4x4x8", 256: "4x8x8", 512: "8x8x8", 1024: "8x8x16",
    2048: "8x16x16", 4096: "16x16x16", 6144: "16x16x24", 8960: "16x20x28",
}  # fmt: skip


@pytest.mark.parametrize("chips", SLICES)
def test_slices_of_a_torus_are_the_published_ones(chips: int) -> None:
    assert target("tpu-v5p").grid(chips) == f"v5p:{SLICES[chips]}"
    if chips <= 4096:
        assert target("tpu-v4").grid(chips) == f"v4:{SLICES[chips]}"
        assert target("tpu-7x").grid(2 * chips) == f"tpu7x:{SLICES[chips]}"  # two devices a chip


@pytest.mark.parametrize(
    ("name", "devices"), [("tpu-v4", 4096), ("tpu-v5e", 256), ("tpu-v5p", 8960), ("tpu-7x", 2 * 9216)]
)
def test_the_largest_grid_is_a_pod(name: str, devices: int) -> None:
    assert max(target(name).grids) == devices


def test_looking_at_the_targets_does_not_import_jax() -> None:
    code = "import sys; from symcost.referee.compilers import targets, cache, gpus; [t.problem() for t in targets.TARGETS.values()]"
    done = subprocess.run([sys.executable, "-c", f"{code}; sys.exit('jax' in sys.modules)"], check=False)
    assert done.returncode == 0


def test_a_cpus_program_is_the_one_whose_machine_code_is_optimised() -> None:
    def trained(weights: Any, x: Any) -> Any:
        return jax.grad(lambda w: jnp.square(jax.nn.softmax(jnp.tanh(x @ w[0]) @ w[1])).sum())(weights)

    lowered = jax.jit(trained).lower((jnp.ones((48, 96)), jnp.ones((96, 200))), jnp.ones((64, 48)))
    ours, plain = (lowered.compile(compiler_options=options) for options in (worker.OPTIONS["cpu"], None))
    assert ours.as_text() == plain.as_text()
    assert worker.memory(ours) == worker.memory(plain)
    assert worker.analysed(ours) == worker.analysed(plain)
