"""Random compositions: what layers say of a network is what a trace says of its Flax twin, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from effort import also_campaign, examples
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from layer_case import unequal

import symcost as sc
from symcost.layers.base import Layer

Shape = tuple[int, ...]


def fits(layer: Layer, x: Shape) -> Shape | None:
    """The output's shape, or nothing where the layer does not take the input."""
    try:
        out = layer.out(x)
    except sc.ShapeError:
        return None
    return out if max(out) < 4000 else None


ACTIVATIONS = [sc.ReLU(), sc.ReLU6(), sc.LeakyReLU(), sc.ELU(), sc.Sigmoid(), sc.Tanh(), sc.SiLU(), sc.HardSwish(),
               sc.HardSigmoid(), sc.Mish(), sc.GELU(), sc.GELU("tanh"), sc.Identity(), sc.Dropout()]  # fmt: skip
sizes = st.integers(1, 4)
paddings = st.one_of(
    st.sampled_from(["none", "same", "full"]), st.integers(0, 2),
    st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2))),
)  # fmt: skip


@st.composite
def convolutions(draw: Any, x: Shape) -> Layer:
    """Any convolution whose groups divide the channels."""
    g = draw(st.sampled_from([g for g in range(1, x[1] + 1) if x[1] % g == 0]))
    k, s, d = (draw(st.tuples(size, size)) for size in (st.integers(1, 5), st.integers(1, 3), st.integers(1, 2)))
    kind = draw(st.sampled_from(["conv", "conv", "depthwise", "transposed"]))
    bias = draw(st.booleans())
    if kind == "transposed":
        return sc.ConvTranspose2d(c_o=draw(sizes), k=k, s=s, p=draw(st.integers(0, 1)), d=d, bias=bias)
    fill = draw(st.sampled_from(["zeros", "zeros", "constant", "replicate"]))
    if kind == "depthwise":
        return sc.DepthwiseConv2d(k=k, s=s, p=draw(paddings), d=d, bias=bias, fill=fill, m=draw(st.integers(1, 2)))
    return sc.Conv2d(c_o=g * draw(sizes), k=k, s=s, p=draw(paddings), d=d, g=g, bias=bias, fill=fill)


@st.composite
def pools(draw: Any, x: Shape) -> Layer:
    """Any pooling that leaves an image."""
    k, s = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    p = draw(st.integers(0, k // 2))
    return draw(
        st.sampled_from([
            sc.MaxPool2d(k=k, s=s, p=p), sc.MaxPool2d(k=k, s=s, ceil=True), sc.AvgPool2d(k=k, s=s, p=p),
            sc.AvgPool2d(k=k, s=s, p=p, count_padding=False), sc.AdaptiveAvgPool2d((k, s)),
            sc.GlobalAvgPool(keep=True),
        ])
    )  # fmt: skip


@st.composite
def elementwise(draw: Any, x: Shape) -> Layer:
    """Layers that keep the shape of an image."""
    g = draw(st.sampled_from([g for g in range(1, x[1] + 1) if x[1] % g == 0]))
    norms = [sc.BatchNorm(), sc.LayerNorm(), sc.RMSNorm(), sc.InstanceNorm(), sc.GroupNorm(g), sc.ChannelScale()]
    gates = [sc.SqueezeExcitation(draw(sizes)), sc.SqueezeExcitation(2, sc.SiLU(), sc.HardSigmoid())]
    return draw(st.sampled_from([*ACTIVATIONS, *norms, *gates]))


@st.composite
def tokens(draw: Any, x: Shape) -> Layer:
    """Layers on tokens."""
    d = x[-1]
    heads = draw(st.sampled_from([H for H in range(1, d + 1) if d % H == 0]))
    groups = draw(st.sampled_from([g for g in range(1, heads + 1) if heads % g == 0]))
    causal, bias, width = draw(st.booleans()), draw(st.booleans()), draw(sizes)
    return draw(
        st.sampled_from([
            sc.Linear(width, bias=bias), sc.LayerNorm(bias=bias), sc.RMSNorm(), sc.Softmax(), sc.ChannelScale(),
            sc.Attention(heads, groups, causal=causal, bias=bias),
            sc.Attention(heads, d_k=2 * width, causal=causal, rotary=True, bias=bias),
            sc.Attention(heads, M=x[1] + width, causal=causal, bias=bias),
            sc.LinearAttention(heads, bias=bias), sc.GatedMLP(width, bias=bias), sc.GLU(sc.SiLU()),
            sc.MoE(E=width + 1, d_f=2), sc.MoE(E=width + 1, d_f=2, k=2), sc.PositionEmbedding(x[1] + width),
            sc.ClassToken(), sc.LSTM(width), sc.GRU(width), *ACTIVATIONS,
        ])
    )  # fmt: skip


def single(x: Shape) -> st.SearchStrategy[Layer]:
    """One layer for an input."""
    if len(x) == 4:
        return st.one_of(convolutions(x), pools(x), elementwise(x))
    return tokens(x) if len(x) == 3 else st.sampled_from([sc.Linear(3), *ACTIVATIONS])


@st.composite
def chains(draw: Any, x: Shape, depth: int = 2) -> Layer:
    """Layers one after the other, some of them blocks of chains."""
    found: list[Layer] = []
    for _ in range(draw(st.integers(1, 4))):
        kinds: list[Callable[[], Layer]] = [lambda x=x: draw(single(x))]
        if depth:
            kinds.append(lambda x=x: draw(blocks(x, depth - 1)))
        layer = draw(st.sampled_from(kinds))()
        out = fits(layer, x)
        if out is not None:
            found.append(layer)
            x = out
    return sc.Sequential(*found)


@st.composite
def blocks(draw: Any, x: Shape, depth: int) -> Layer:
    """Residuals, branches and repetitions; where shapes do not fit, the chain alone."""
    chain, other = draw(chains(x, depth)), draw(chains(x, depth))
    wanted = [sc.Residual(chain), sc.Residual(chain, other), sc.Branch(chain, other), sc.Branch(chain, sc.Identity()),
              sc.Branch(chain, other, join="multiply"), sc.Repeat(chain, draw(st.integers(0, 3)))]  # fmt: skip
    return draw(st.sampled_from([layer for layer in wanted if fits(layer, x)] or [chain]))


images = st.tuples(st.integers(1, 2), st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
sequences = st.tuples(st.integers(1, 2), st.integers(1, 6), st.integers(1, 8))
inputs = st.one_of(images, sequences)
networks = inputs.flatmap(lambda x: st.tuples(chains(x), st.just(x)))


@also_campaign
@settings(max_examples=examples(12, 300), deadline=None)
@given(networks)
def test_a_random_network_costs_what_its_flax_twin_costs(drawn: tuple[Layer, Shape]) -> None:
    net, x = drawn
    axes = (x[0], *x[2:], x[1]) if len(x) == 4 else x
    traced = sc.trace(sc.build(net), f"float32[{','.join(map(str, axes))}]")
    assert unequal(sc.table(net, x), traced) == []


@also_campaign
@settings(max_examples=examples(20, 300), deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(networks)
def test_a_closed_form_in_the_input_says_what_is_counted_at_numbers(drawn: tuple[Layer, Shape]) -> None:
    net, x = drawn
    names = ("n", "c", "h", "w") if len(x) == 4 else ("n", "N", "d")
    point = {name: size for name, size in zip(names, x, strict=True) if name not in ("c", "d")}
    symbolic = tuple(name if name in point else size for name, size in zip(names, x, strict=True))
    try:
        table = sc.table(net, symbolic)
        found = table.subs(**{name: value for name, value in point.items() if name in table.symbols})
    except (sc.ShapeError, sc.DomainError):
        reject()  # a structure that depends on the input's size; the formula holds elsewhere, and this is no example
    counted = sc.table(net, x)
    for convention in sc.CONVENTIONS:
        assert found.total(convention) == counted.total(convention)
