"""GPUs as XLA's compiler needs to know them: limits, caches, clocks. They steer fusion and tiling, never the counts.

``NVIDIA_LIMITS`` are the limits common to all compute capabilities here. Each GPU names the public page of its own figures;
those that differ by compute capability (shared memory, threads of a multiprocessor) are in NVIDIA's CUDA C++ Programming
Guide, table "Technical Specifications per Compute Capability".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GUIDE = "CUDA C++ Programming Guide, technical specifications per compute capability"
XLA_SPECS = "github.com/openxla/xla, xla/backends/gpu/target_config/specs"
NVIDIA_LIMITS: Mapping[str, int] = {
    "threads_per_block_limit": 1024,
    "threads_per_warp": 32,
    "shared_memory_per_block": 49152,
    "block_dim_limit_x": 2147483647,
    "block_dim_limit_y": 65535,
    "block_dim_limit_z": 65535,
    "registers_per_core_limit": 65536,
    "registers_per_block_limit": 65536,
    "thread_dim_limit_x": 1024,
    "thread_dim_limit_y": 1024,
    "thread_dim_limit_z": 64,
}


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU. Sizes in bytes, ``bandwidth`` in bytes a second, ``clock`` in MHz, ``capability`` as (major, minor)."""

    title: str
    capability: tuple[int, int]
    cores: int
    fpus: int
    threads: int
    shared: int
    shared_block: int
    l2: int
    memory: int
    bandwidth: int
    clock: int
    source: str

    def config(self) -> str:
        """The description in the text form of XLA's ``GpuTargetConfigProto``."""
        major, minor = self.capability
        info = {
            **NVIDIA_LIMITS, "shared_memory_per_core": self.shared, "threads_per_core_limit": self.threads,
            "core_count": self.cores, "fpus_per_core": self.fpus, "memory_bandwidth": self.bandwidth,
            "l2_cache_size": self.l2, "clock_rate_ghz": f"{self.clock // 1000}.{self.clock % 1000:03}",
            "device_memory_size": self.memory, "shared_memory_per_block_optin": self.shared_block,
        }  # fmt: skip
        lines = "\n".join(f"  {name}: {value}" for name, value in info.items())
        return (
            f"gpu_device_info {{\n{lines}\n  cuda_compute_capability {{ major: {major} minor: {minor} }}\n}}\n"
            'platform_name: "CUDA"\ndnn_version_info { major: 9 minor: 10 }\n'
            f'device_description_str: "{self.title}"\n'
        )


GPUS: Mapping[str, Gpu] = {
    "t4": Gpu(
        title="Tesla T4", capability=(7, 5), cores=40, fpus=64, threads=1024, shared=65536, shared_block=65536,
        l2=4194304, memory=16 << 30, bandwidth=320_000_000_000, clock=1590,
        source=f"NVIDIA Turing GPU Architecture whitepaper, appendix C (Tesla T4); {GUIDE}, 7.5",
    ),
    "a100": Gpu(
        title="NVIDIA A100-SXM4-80GB", capability=(8, 0), cores=108, fpus=64, threads=2048, shared=167936,
        shared_block=166912, l2=41943040, memory=85100068864, bandwidth=2_039_040_000_000, clock=1410,
        source=f"{XLA_SPECS}/a100_sxm_80.txtpb",
    ),
    "orin": Gpu(
        title="Jetson AGX Orin 64GB", capability=(8, 7), cores=16, fpus=128, threads=1536, shared=167936,
        shared_block=166912, l2=4194304, memory=64 << 30, bandwidth=204_800_000_000, clock=1300,
        source=f"NVIDIA Jetson AGX Orin Series technical brief; {GUIDE}, 8.7",
    ),
    "rtx4090": Gpu(
        title="NVIDIA GeForce RTX 4090", capability=(8, 9), cores=128, fpus=128, threads=1536, shared=102400,
        shared_block=101376, l2=75497472, memory=24 << 30, bandwidth=1_008_000_000_000, clock=2520,
        source=f"NVIDIA Ada GPU Architecture whitepaper, appendix A (GeForce RTX 4090); {GUIDE}, 8.9",
    ),
    "h100": Gpu(
        title="NVIDIA H100 80GB HBM3", capability=(9, 0), cores=132, fpus=128, threads=2048, shared=233472,
        shared_block=232448, l2=52428800, memory=84942979072, bandwidth=3_352_320_000_000, clock=1980,
        source=f"{XLA_SPECS}/h100_sxm.txtpb",
    ),
    "h200": Gpu(
        title="NVIDIA H200 141GB HBM3e", capability=(9, 0), cores=132, fpus=128, threads=2048, shared=233472,
        shared_block=232448, l2=52428800, memory=151397597184, bandwidth=4_800_000_000_000, clock=1980,
        source=f"{XLA_SPECS}/h200.txtpb",
    ),
    "b200": Gpu(
        title="NVIDIA B200", capability=(10, 0), cores=148, fpus=128, threads=2048, shared=233472,
        shared_block=232448, l2=132644864, memory=191514411008, bandwidth=7_672_320_000_000, clock=1965,
        source=f"{XLA_SPECS}/b200.txtpb",
    ),
}  # fmt: skip
"""By the name of their target without ``cuda-``."""
