"""What can be compiled for: one entry per target. To add a TPU, a line in ``TPUS``; a GPU, an entry in ``gpus.py``."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from symcost.devices.aliases import meant
from symcost.errors import SymcostError
from symcost.reading.nearest import choose
from symcost.reading.numerals import short
from symcost.referee.compilers.gpus import GPUS

CPU, TPU, CUDA = "cpu", "tpu", "cuda"
QUIET = {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
"""Of every worker: JAX would look for the devices themselves otherwise. Flags meant for other programs are dropped."""
DROPPED = ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE")
ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    CPU: {},
    # One answer for all generations: without it libtpu asks the machine, which has none.
    TPU: {
        "TPU_ACCELERATOR_TYPE": "v5litepod-1", "TPU_WORKER_HOSTNAMES": "localhost", "TPU_WORKER_ID": "0",
        "TPU_SKIP_MDS_QUERY": "1", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
        "TPU_MIN_LOG_LEVEL": "3", "TPU_STDERR_LOG_LEVEL": "3",
    },
    CUDA: {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"},  # there is no driver whose version it could check
}  # fmt: skip
PACKAGES: Mapping[str, tuple[str, ...]] = {
    CPU: ("jaxlib",),
    TPU: ("jaxlib", "libtpu"),
    CUDA: ("jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt"),
}
"""Whose versions decide what a compiler answers."""


@dataclass(frozen=True)
class Target:
    """A device to compile for. ``grids`` are the names of TPU topologies by number of devices."""

    name: str
    platform: str
    title: str
    source: str
    grids: Mapping[int, str] = field(default_factory=dict)
    config: str = field(default="", repr=False)
    granule: int = 1
    """Bytes of which a TPU's table of results has a whole number."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Distributions whose versions decide the answer."""
        return PACKAGES[self.platform]

    def versions(self) -> dict[str, str]:
        """Version of every package, "" where it is absent."""
        return {name: _version(name) for name in self.packages}

    def problem(self) -> str | None:
        """Why this machine cannot compile for it, with the cure; nothing when it can."""
        versions = self.versions()
        absent = [name for name, version in versions.items() if not version]
        if absent:
            return f"{', '.join(absent)} not installed: pip install 'symcost[{self.platform}]'"
        if self.platform == CUDA:
            own, jaxlib = versions["jax-cuda12-plugin"], versions["jaxlib"]
            if own != jaxlib or versions["jax-cuda12-pjrt"] != own:
                return (
                    f"jax-cuda12-plugin {own} and jax-cuda12-pjrt {versions['jax-cuda12-pjrt']} beside jaxlib {jaxlib}: "
                    f"pip install jax-cuda12-plugin=={jaxlib} jax-cuda12-pjrt=={jaxlib}"
                )
            if not ptxas():
                return "no ptxas, the assembler of CUDA, on this machine: pip install nvidia-cuda-nvcc-cu12"
        return None

    def environment(self, devices: int = 1) -> dict[str, str]:
        """The environment of a worker: this process's own, without what would steer the compiler."""
        own = {name: value for name, value in os.environ.items() if name not in DROPPED}
        variables = {**own, **QUIET, **ENVIRONMENTS[self.platform]}
        if self.platform == CPU and devices > 1:
            variables["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
        return variables

    def grid(self, devices: int) -> str:
        """The topology of a TPU with so many devices, or an error that says which there are."""
        if devices not in self.grids:
            raise SymcostError(f"{self.name} has no topology of {devices} devices here: use {self._sizes(devices)}")
        return self.grids[devices]

    def _sizes(self, wanted: int) -> str:
        """The numbers of devices that there are; of many, the nearest below and above and the largest."""
        known = sorted(self.grids)
        if len(known) > MOST_LISTED:
            below, above = [n for n in known if n < wanted][-2:], [n for n in known if n > wanted][:2]
            return f"{', '.join(map(str, below + above))}; the largest is {known[-1]}"
        return ", ".join(map(str, known))


def cubes(longest: tuple[int, int, int], per_chip: int = 1) -> dict[int, str]:
    """Grids of a torus in three dimensions by number of devices: of every size the most compact one.

    From 64 chips on slices are made of cubes of 4x4x4, at most as long as ``longest`` in each direction. ``per_chip``:
    devices that a chip shows.

    >>> cubes((16, 20, 28))[8960], cubes((8, 8, 8), per_chip=2)[128]
    ('16x20x28', '4x4x4')
    """
    sides = [range(4, most + 1, 4) for most in longest]
    whole = [(a, b, c) for a in sides[0] for b in sides[1] for c in sides[2] if a <= b <= c]
    parts = [(2, 2, 1), (2, 2, 2), (2, 2, 4), (2, 4, 4)]
    least_compact_first = sorted([*parts, *whole], key=sum, reverse=True)
    by_chips = {a * b * c: f"{a}x{b}x{c}" for a, b, c in least_compact_first}
    return {1: "2x2x1", **{chips * per_chip: by_chips[chips] for chips in sorted(by_chips)}}


MOST_LISTED = 12
FLAT = {1: "2x2", 4: "2x2", 8: "2x4", 16: "4x4", 32: "4x8", 64: "8x8", 128: "8x16", 256: "16x16"}
TPUS: Mapping[str, tuple[str, str, Mapping[int, str], int]] = {
    "v4": ("v4", "TPU v4", cubes((16, 16, 16)), 512),  # 4,096 chips
    "v5e": ("v5e", "TPU v5e", FLAT, 512),
    "v5p": ("v5p", "TPU v5p", cubes((16, 20, 28)), 32),  # 8,960 chips
    "v6e": ("v6e", "TPU v6e (Trillium)", FLAT, 32),
    "7x": ("tpu7x", "TPU7x (Ironwood)", cubes((16, 16, 36), per_chip=2), 32),  # 9,216 chips of two devices each
}
"""By the name of their target without ``tpu-``: the compiler's name, ours, the topologies, and the bytes
by which a table of results grows."""

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("cpu", CPU, "the CPU of this machine", "jaxlib"),
        *(
            Target(f"tpu-{name}", TPU, title, "cloud.google.com/tpu/docs/system-architecture-tpu-vm",
                   {devices: f"{theirs}:{grid}" for devices, grid in grids.items()}, granule=granule)
            for name, (theirs, title, grids, granule) in TPUS.items()
        ),
        *(Target(f"cuda-{name}", CUDA, gpu.title, gpu.source, config=gpu.config()) for name, gpu in GPUS.items()),
    )
}  # fmt: skip


def target(name: str) -> Target:
    """The target of this name, or of another name of the same hardware.

    >>> target("cuda-h100").title, target("google-tpu-v5e").name
    ('NVIDIA H100 80GB HBM3', 'tpu-v5e')
    """
    known = meant(name, TARGETS) if isinstance(name, str) else None
    if known is None:
        raise SymcostError(f"unknown target {short(name)}: {choose(name, TARGETS)}")
    return TARGETS[known]


def ptxas() -> str | None:
    """Where the assembler of CUDA is: NVIDIA's wheel, or the machine's own."""
    spec = importlib.util.find_spec("nvidia")
    for place in spec.submodule_search_locations if spec and spec.submodule_search_locations else ():
        assemblers = sorted(Path(place).glob("*/bin/ptxas"))
        if assemblers:
            return str(assemblers[0])
    return shutil.which("ptxas")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
