"""What this machine reaches: matrix products, dense and depthwise convolutions, norms and copies, over sizes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

from symcost.calibrate.timing import fastest

PRODUCTS = ((64, 64, 64), (256, 256, 256), (197, 384, 1536), (512, 512, 512), (1024, 1024, 1024))
"""Rows, inner size, columns."""
CONVOLUTIONS = ((56, 64, 64, 3), (28, 128, 128, 3), (14, 256, 256, 3), (28, 192, 32, 1), (14, 384, 96, 1))
"""Places along a side, channels in and out, kernel."""
DEPTHWISE = ((56, 144, 3), (28, 192, 3), (14, 384, 3), (7, 960, 3))
"""Places along a side, channels, kernel."""
ROWS = ((197, 192), (1024, 768), (4096, 256))
"""Rows and their lengths, normalised to mean 0 and variance 1: five operations an element."""
PER_ELEMENT = 5
WEIGHTS = ((8, 2048, 2048), (8, 1024, 4096), (8, 4096, 1024))
"""Products of few rows: nearly all they move are weights."""
COPIES = (2**20, 2**21, 2**22)
"""Elements: beyond the caches of a core, not so large that new pages are timed."""
TINY = 16
FLOAT32 = 4


@dataclass(frozen=True)
class Measurement:
    """One kernel: what it is, its operations or bytes, and its seconds."""

    kind: str
    shape: tuple[int, ...]
    amount: int
    seconds: Fraction

    @property
    def rate(self) -> Fraction:
        """Operations, or bytes, per second."""
        return self.amount / self.seconds


def measurements(seconds: float, on_kernel: Callable[[str], None] = lambda said: None) -> list[Measurement]:
    """Every kernel timed for ``seconds``; together with compiling well under a minute."""
    found = []
    for kind, shape, amount, function, arguments in _kernels():
        on_kernel(f"{kind} {' x '.join(map(str, shape))}")
        found.append(Measurement(kind, shape, amount, fastest(function, *arguments, seconds=seconds)))
    return found


def _kernels() -> Iterator[tuple[str, tuple[int, ...], int, Callable[..., Any], tuple[Any, ...]]]:
    import jax.numpy as jnp

    yield "launch", (TINY,), 1, lambda x: x + 1, (jnp.ones(TINY),)
    for m, k, n in PRODUCTS:
        yield "product", (m, k, n), 2 * m * k * n, lambda a, b: a @ b, (jnp.ones((m, k)), jnp.ones((k, n)))
    for side, c_i, c_o, k in CONVOLUTIONS:
        amount = 2 * side * side * c_i * c_o * k * k
        yield "convolution", (side, c_i, c_o, k), amount, _convolution(1), _image(side, c_i, c_o, k, 1)
    for side, c, k in DEPTHWISE:
        yield "grouped", (side, c, k), 2 * side * side * c * k * k, _convolution(c), _image(side, c, c, k, c)
    for rows, length in ROWS:
        yield "other", (rows, length), PER_ELEMENT * rows * length, _normalised, (jnp.ones((rows, length)),)
    for m, k, n in WEIGHTS:
        amount = FLOAT32 * (m * k + k * n + m * n)
        yield "weights", (m, k, n), amount, lambda a, b: a @ b, (jnp.ones((m, k)), jnp.ones((k, n)))
    for size in COPIES:
        yield "copy", (size,), 2 * FLOAT32 * size, lambda x: x + 1, (jnp.ones(size),)


def _convolution(groups: int) -> Callable[[Any, Any], Any]:
    from jax import lax

    def convolve(x: Any, w: Any) -> Any:
        layout = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=layout, feature_group_count=groups)

    return convolve


def _normalised(x: Any) -> Any:
    from jax import lax

    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1)


def _image(side: int, c_i: int, c_o: int, k: int, groups: int) -> tuple[Any, Any]:
    import jax.numpy as jnp

    return jnp.ones((1, side, side, c_i)), jnp.ones((k, k, c_i // groups, c_o))


def entry(name: str, found: Sequence[Measurement]) -> str:
    """The device as TOML: the best product is the peak, medians of the rates are what is reached of it."""
    import jax

    rates = {
        kind: [m.rate for m in found if m.kind == kind]
        for kind in ("product", "convolution", "grouped", "other", "weights", "copy")
    }
    peak = max([*rates["product"], *rates["convolution"]])
    launch = min(m.seconds for m in found if m.kind == "launch")
    place = jax.devices()[0]
    lines = [
        f"[{name}]",
        f'title = "{place.device_kind} by {place.platform}, {os.cpu_count()} processors"',
        'kind = "measured"',
        f'source = "measured by symcost calibrate with jax {jax.__version__} in float32"',
        f"overhead_ns = {round(launch * 10**9)}",
        f"peak = {{ float32_flops = {round(peak)} }}",
        "",
        f"[{name}.efficiency]",
        f"product_share = {_share(median([*rates['product'], *rates['convolution']]), peak)}",
        f"grouped_share = {_share(median(rates['grouped']), peak)}",
        f"other_share = {_share(median(rates['other']), peak)}",
        f"weights_share = {_share(min(median(rates['weights']), median(rates['copy'])), median(rates['copy']))}",
        "",
        f"[{name}.memory.main]",
        f"bandwidth_b_per_s = {round(median(rates['copy']))}",
        'holds = ["weights", "activations"]',
    ]
    size = _memory(place)
    return "\n".join([*lines, *([f"size_b = {size}"] if size else [])])


def _share(rate: Fraction, peak: Fraction) -> str:
    return f"{float(rate / peak):.6f}"


def _memory(place: Any) -> int | None:
    """Bytes of the memory that arrays live in, where the system says."""
    stats = place.memory_stats() if place.platform != "cpu" else None
    if stats:
        return stats.get("bytes_limit")
    names = os.sysconf_names if hasattr(os, "sysconf_names") else {}
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in names else None
