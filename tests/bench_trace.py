"""Speed of the main job against peers in one run: ``pytest tests/bench_trace.py --benchmark-only``.

Each row prints ours and the peer's median seconds, their ratio and the ratio aimed at. Nothing is asserted about time: a
benchmark is read, not passed. The whole takes half an hour; ``-k`` picks rows.
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
from ratios import told
from test_zoo import cases, lift, model_of
from zoo.case import Case

from symcost.tracing.face import trace
from symcost.tracing.program.capture import lean, walked
from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.probe import probe

ROUNDS = 3
pytestmark = pytest.mark.benchmark(timer=time.process_time)
"""Processor time: what else runs on the machine counts for neither side."""


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
    start = time.process_time()
    jax.make_jaxpr(lambda v, x: module.apply(v, *x))(variables, inputs)
    return time.process_time() - start


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median processor time."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
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
        0.15,
    ),
    "GPT in (n, N, d, H, L, V)": (
        TRACED["GPT in (n, N, d, H, L, V)"],
        lambda: tabulate(gpt12(), jnp.ones((1, 128), jnp.int32)),
        0.3,
    ),
}
LINEN = (
    "autoregressive", "bert", "cond", "conformer", "convnext", "convnext_width", "funnel", "gpt2", "graph_net",
    "llama_width", "lstm_seq2seq", "mamba", "mixer", "pointnet", "regnet", "skip_every_second", "t5",
    "unet", "vae", "vit", "wavenet",
)  # fmt: skip
"""Forward passes of the zoo that flax tabulates."""
ZOO = {case.name: case for case in cases("CASES") if case.name in LINEN}
_measured: dict[str, float] = {}
"""Ratios to flax's tabulate by model, of which the median is read."""


def tabulated(case: Case) -> None:
    """flax's own counter on a row of the zoo, at the size that a user would ask for."""
    model = model_of(case)
    streams = dict.fromkeys(model.rngs, jax.random.key(0))
    inputs = jax.tree.map(lambda array: jnp.zeros(array.shape, array.dtype), model.at(case.real).arguments["inputs"])
    model.module_at(case.real).tabulate(streams, *inputs, compute_flops=True, **case.call)


def test_every_model_is_there() -> None:
    assert len(ROWS) + len(ZOO) >= 20
    assert set(LINEN) == set(ZOO)


@pytest.mark.parametrize("name", ROWS)
def test_against_tabulate(benchmark: Any, name: str) -> None:
    ours, theirs, reach = ROWS[name]
    benchmark.pedantic(ours, rounds=ROUNDS)
    _measured[name] = told(
        benchmark, name, "flax tabulate(compute_flops=True)", benchmark.stats.stats.median, seconds(theirs), reach
    )


@pytest.mark.parametrize("name", LINEN)
def test_a_row_of_the_zoo_against_tabulate(benchmark: Any, name: str) -> None:
    case = ZOO[name]
    theirs = seconds(lambda: tabulated(case), rounds=1)
    benchmark.pedantic(lift, (case,), rounds=1)
    peer = "flax tabulate(compute_flops=True)"
    _measured[name] = told(benchmark, name, peer, benchmark.stats.stats.median, theirs, 0.5)


def test_the_median_against_tabulate(benchmark: Any) -> None:
    if len(_measured) < 20:
        pytest.skip(f"{len(_measured)} models were measured in this run: the median is of 20 at least")
    benchmark.pedantic(lambda: None, rounds=1)
    told(benchmark, f"median of {len(_measured)} models", "flax tabulate(compute_flops=True)",
         statistics.median(_measured.values()), 1, 0.5)  # fmt: skip


@pytest.mark.parametrize("name", TRACED)
def test_what_the_referee_takes(benchmark: Any, name: str) -> None:
    """``trace`` with XLA's own count against ``trace`` without, one after the other."""
    work = TRACED[name]
    pairs = []
    for _ in range(ROUNDS):
        times = []
        for referee in (True, False):
            start = time.process_time()
            work(referee=referee)
            times.append(time.process_time() - start)
        pairs.append(times)
    on, off = (statistics.median(column) for column in zip(*pairs, strict=True))
    benchmark.pedantic(lambda: None, rounds=1)
    told(benchmark, f"{name}, with the referee", "trace(referee=False)", on, off, 1.15)


@pytest.mark.parametrize("name", ["ResNet-50 in (n, r)", "12-layer transformer in (n, N)"])
def test_a_walk_of_a_program_against_making_it(benchmark: Any, name: str) -> None:
    point: dict[str, int]
    if name.startswith("ResNet"):
        model: Model = make_model(resnet50, ("float32[n,r,r,3]",), call={"train": False})
        point = {"n": 1, "r": 224}
    else:
        model, point = make_model(gpt12, ("int32[n,N]",)), {"n": 1, "N": 128}
    abstract, closed = lean(model, point)
    # A function that jax has not seen is traced again.
    peer = seconds(lambda: jax.make_jaxpr(lambda *args: abstract.function(*args))(*abstract.args))
    benchmark.pedantic(lambda: walked(abstract, closed, {}, probe), rounds=2 * ROUNDS)
    told(benchmark, f"walk of {name}", "make_jaxpr", benchmark.stats.stats.median, peer, 0.3)


def test_96_layers_against_their_own_traces(benchmark: Any) -> None:
    def factory() -> nn.Module:
        return GPT(d=768, H=12, L=96, V=50257)

    costs = benchmark.pedantic(lambda: trace(factory, "int32[n,N]"), rounds=1)
    mine, traces = benchmark.stats.stats.median, costs.certificate.traces
    peer = traces * statistics.median(
        make_jaxpr_seconds(factory, "int32[n,N]", {"n": n, "N": 70 + n}) for n in (3, 5, 7)
    )
    told(benchmark, "96-layer GPT in (n, N)", f"{traces} x make_jaxpr", mine, peer, 1.3)


def test_substitution_of_all_totals(benchmark: Any) -> None:
    costs = trace(resnet50, "float32[n,r,r,3]", call={"train": False})

    def totals() -> Any:
        at = costs.subs(n=1, r=224)
        return [at.total(c) for c in ("textbook", "full", "xla")], at.peak_activations

    totals()
    benchmark(totals)
    print(f"\n| costs.subs of all totals | - | {benchmark.stats.stats.median * 1000:.2f} ms | - | - | 5 ms |")
