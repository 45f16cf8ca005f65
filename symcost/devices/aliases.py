"""What the same hardware is called: by the devices' data, by the compilers' targets, and by people."""

from __future__ import annotations

from collections.abc import Iterable

from symcost.reading.nearest import folded, same

SAME: tuple[tuple[str, ...], ...] = (
    *((f"google-tpu-{each}", f"tpu-{each}") for each in ("v4", "v5e", "v5p", "v6e", "7x")),
    ("google-tpu-v5e", "tpu-v5-lite"),
    ("google-tpu-v6e", "tpu-trillium"),
    ("google-tpu-7x", "tpu-v7", "tpu-ironwood"),
    ("nvidia-a100-sxm-80gb", "cuda-a100", "a100-80gb", "a100-sxm-80gb"),
    ("nvidia-h100-sxm", "cuda-h100", "h100", "h100-sxm", "nvidia-h100"),
    ("nvidia-h200-sxm", "cuda-h200", "h200", "nvidia-h200"),
    ("nvidia-b200-hgx", "cuda-b200", "b200", "nvidia-b200"),
    ("nvidia-rtx-4090", "cuda-rtx4090", "rtx-4090"),
    ("nvidia-l4", "l4"),
    ("nvidia-v100-sxm-32gb", "v100-32gb"),
    ("jetson-agx-orin", "cuda-orin"),
    ("cuda-t4", "nvidia-t4", "t4"),
)
"""Names of one piece of hardware each, however they are written."""


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that means the same: itself, written another way, or another name of the hardware.

    >>> meant("tpu-v5e", ["google-tpu-v5e", "nvidia-l4"]), meant("google-tpu-v5e", ["cpu", "tpu-v5e"])
    ('google-tpu-v5e', 'tpu-v5e')
    >>> meant("H100", ["cuda-h100"]), meant("h1000", ["cuda-h100"])
    ('cuda-h100', None)
    """
    known = list(known)
    if name in known:
        return name
    alike = [each for group in SAME if folded(name) in map(folded, group) for each in group]
    return next((each for each in known if each in alike), None) or same(name, known)
