"""Speed of the main job against peers in one run: ``pytest tests/bench_trace.py --benchmark-only``.

Each row prints ours and the peer's median seconds and their ratio. Nothing is asserted: a benchmark is read, not passed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flaxmodels
import jax
import jax.numpy as jnp
import pytest

from symcost.tracing.face import trace
from symcost.tracing.program.model import make_model

ROUNDS = 3


class Block(nn.Module):
    """Pre-norm transformer block."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        y = nn.LayerNorm()(x)
        x = x + nn.MultiHeadDotProductAttention(num_heads=self.H)(y, y)
        y = nn.LayerNorm()(x)
        y = nn.Dense(4 * self.d)(y)
        return x + nn.Dense(self.d)(nn.gelu(y))


class GPT(nn.Module):
    """Decoder of ``L`` unrolled blocks."""

    d: int
    H: int
    L: int
    V: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = nn.Embed(self.V, self.d)(tokens)
        x = x + self.param("positions", nn.initializers.normal(0.02), (tokens.shape[1], self.d))
        for i in range(self.L):
            x = Block(self.d, self.H, name=f"block_{i}")(x)
        return nn.Dense(self.V)(nn.LayerNorm()(x))


def resnet50() -> nn.Module:
    """flaxmodels' ResNet-50, without downloaded weights."""
    return flaxmodels.ResNet50(output="logits", pretrained=None)


def gpt12() -> nn.Module:
    """A 12-layer transformer of the usual small size."""
    return GPT(d=768, H=12, L=12, V=50257)


def tabulate(module: nn.Module, *inputs: Any, **call: Any) -> None:
    """flax's own counter at one size."""
    module.tabulate(jax.random.key(0), *inputs, compute_flops=True, **call)


def make_jaxpr_seconds(factory: Callable[[], nn.Module], spec: str, point: dict[str, int]) -> float:
    """Seconds of one plain ``jax.make_jaxpr`` of ``apply``, by flax alone."""
    module = factory()
    abstract = make_model(factory, (spec,)).at(point)
    variables = {"params": abstract.arguments["params"]}
    inputs = abstract.arguments["inputs"]
    start = time.perf_counter()
    jax.make_jaxpr(lambda v, x: module.apply(v, *x))(variables, inputs)
    return time.perf_counter() - start


def seconds(work: Callable[[], Any]) -> float:
    """Median wall time."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


TRACED: dict[str, Callable[..., Any]] = {
    "ResNet-50 in (n, r)": lambda **how: trace(resnet50, "float32[n,r,r,3]", call={"train": False}, **how),
    "12-layer transformer in (n, N)": lambda **how: trace(gpt12, "int32[n,N]", **how),
    "GPT in (n, N, d, H, L, V)": lambda **how: trace(GPT, "int32[n,N]", **how),
}
ROWS: dict[str, tuple[Callable[[], Any], Callable[[], None], float]] = {
    "ResNet-50 in (n, r)": (
        TRACED["ResNet-50 in (n, r)"],
        lambda: tabulate(resnet50(), jnp.ones((1, 224, 224, 3)), train=False),
        1.0,
    ),
    "12-layer transformer in (n, N)": (
        TRACED["12-layer transformer in (n, N)"],
        lambda: tabulate(gpt12(), jnp.ones((1, 128), jnp.int32)),
        0.5,
    ),
    "GPT in (n, N, d, H, L, V)": (
        TRACED["GPT in (n, N, d, H, L, V)"],
        lambda: tabulate(gpt12(), jnp.ones((1, 128), jnp.int32)),
        1.0,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_against_tabulate(benchmark: Any, name: str) -> None:
    ours, theirs, reach = ROWS[name]
    benchmark.pedantic(ours, rounds=ROUNDS)
    peer = seconds(theirs)
    mine = benchmark.stats.stats.median
    benchmark.extra_info.update(peer=peer, ratio=mine / peer, reach=reach)
    print(
        f"\n| {name} | flax tabulate(compute_flops=True) | {mine:.2f} s | {peer:.2f} s | {mine / peer:.2f} | {reach} |"
    )


def test_what_the_referee_takes(benchmark: Any) -> None:
    """``trace`` with XLA's own count against ``trace`` without, one after the other; the median over the models is read."""
    ratios = {}
    for name, work in TRACED.items():
        work()
        pairs = []
        for _ in range(2 * ROUNDS + 1):
            times = []
            for referee in (True, False):
                start = time.perf_counter()
                work(referee=referee)
                times.append(time.perf_counter() - start)
            pairs.append(times)
        on, off = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios[name] = on / off
        print(f"\n| {name} | trace(referee=False) | {on:.2f} s | {off:.2f} s | {on / off:.2f} | 1.15 |")
    benchmark.extra_info.update(ratios=ratios, reach=1.15)
    benchmark.pedantic(TRACED["12-layer transformer in (n, N)"], rounds=1)
    print(
        f"\n| median of {len(ratios)} models | trace(referee=False) | - | - | {statistics.median(ratios.values()):.2f} | 1.15 |"
    )


def test_96_layers_against_their_own_traces(benchmark: Any) -> None:
    def factory() -> nn.Module:
        return GPT(d=768, H=12, L=96, V=50257)

    costs = benchmark.pedantic(lambda: trace(factory, "int32[n,N]"), rounds=1)
    mine, traces = benchmark.stats.stats.median, costs.certificate.traces
    peer = traces * statistics.median(
        make_jaxpr_seconds(factory, "int32[n,N]", {"n": n, "N": 70 + n}) for n in (3, 5, 7)
    )
    benchmark.extra_info.update(peer=peer, ratio=mine / peer, reach=1.3, traces=traces)
    print(
        f"\n| 96-layer GPT in (n, N) | {traces} x make_jaxpr | {mine:.2f} s | {peer:.2f} s | {mine / peer:.2f} | 1.3 |"
    )


def test_substitution_of_all_totals(benchmark: Any) -> None:
    costs = trace(resnet50, "float32[n,r,r,3]", call={"train": False})

    def totals() -> Any:
        at = costs.subs(n=1, r=224)
        return [at.total(c) for c in ("textbook", "full", "xla")], at.peak_activations

    totals()
    benchmark(totals)
    print(f"\n| costs.subs of all totals | - | {benchmark.stats.stats.median * 1000:.2f} ms | - | - | 5 ms |")
