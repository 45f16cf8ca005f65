"""Bad input to layers: one line that names the layer, what is wrong, and what it must agree with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import symcost as sc

IMAGE = (1, 4, 8, 8)

BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: sc.Linear(c_o=-1), "Linear: c_o=-1 must be a positive integer or an expression of symbols: give one"),
    (lambda: sc.Linear(c_o=0), "Linear: c_o=0 must be a positive integer"),
    (lambda: sc.Linear(c_o=0.5), "Linear: c_o=0.5 must be a positive integer"),
    (lambda: sc.Linear(c_o=True), "Linear: c_o=True must be a positive integer"),
    (lambda: sc.Linear(c_o=sc.parse("7/2")), "Linear: c_o=7/2 must be a positive integer"),
    (lambda: sc.Linear(c_o="__import__('os')"), "Linear: c_o=__import__('os'): cannot read"),
    (lambda: sc.Linear(c_o=sc.parse("c/(a + b)")), "cannot be divided by a + b: only one term may stand below"),
    (lambda: sc.Conv2d(c_o=8, k=3, p=-1), "Conv2d: p=-1 must be an integer of at least 0"),
    (lambda: sc.Conv2d(c_o=8, k=3, p="sane"), "Conv2d: p='sane' is unknown: did you mean 'same'?"),
    (lambda: sc.Conv2d(c_o=8, k=3, fill="zero"), "Conv2d: fill='zero' is unknown: did you mean 'zeros'? use zeros, reflect"),
    (lambda: sc.GELU("exact"), "GELU: form='exact' is unknown: use erf, tanh"),
    (lambda: sc.Branch(sc.Linear(1), join="sum"), "Branch: join='sum' is unknown: use concat, add, multiply"),
    (lambda: sc.Branch(), "Branch: there are no branches to join"),
    (lambda: sc.Sequential(3), "Sequential: 3 is not a layer"),
    (lambda: sc.Sequential(a=3), "Sequential: a=3 is not a layer"),
    (lambda: sc.Sequential(sc.Linear(1), linear_0=sc.Linear(1)), "the name linear_0 is taken by another layer"),
    (lambda: sc.table(3, IMAGE), "3 is not a layer: give one such as Conv2d"),
    (lambda: sc.Repeat(3, 2), "Repeat: block=3 is not a layer"),
    (lambda: sc.Repeat(sc.ReLU, 2), "Repeat: block=ReLU is a kind of layer and not a layer: write ReLU(...)"),
    (lambda: sc.Residual([sc.ReLU()]), "Residual: body=[ReLU()] is not a layer"),
    (lambda: sc.Residual(sc.ReLU(), 3), "Residual: shortcut=3 is not a layer"),
    (lambda: sc.SqueezeExcitation(8, sc.SiLU), "SqueezeExcitation: activation=SiLU is a kind of layer"),
    (lambda: sc.GLU(None), "GLU: activation=None is not a layer"),
    (lambda: sc.TiedEmbedding(V=10, d=4, body=None), "TiedEmbedding: body=None is not a layer"),
    (lambda: sc.Sequential(params=sc.ReLU()), "Sequential: the name params stands for all arrays in Flax"),
    (lambda: sc.Repeat(sc.ReLU(), 2.5), "Repeat: times=2.5 must be an integer of at least 0"),
    (lambda: sc.table(sc.Linear(3), 4), "the input 4 is no shape: give a tuple of sizes"),
    (lambda: sc.table(sc.Linear(3), "float32[n,4]"), "the input 'float32[n,4]' is no shape"),
    (lambda: sc.table(sc.ReLU(), (1, 2, 3), layout="middle"), "layout='middle' is unknown: use 'first' for (n, c, l)"),
    (lambda: sc.table(sc.ReLU(), (1, 2), layout="first"), "layout='first' is for inputs of three axes and (1, 2) has 2"),
    (lambda: sc.table(sc.Branch(sc.Identity(), sc.Sequential(sc.Conv1d(c_o=4, k=1), sc.ToTokens())), (1, 4, 4)),
     "a branch has (1, 4, 4) with channels last and must fit (1, 4, 4) with channels first: make their layouts equal"),
    (lambda: sc.models.alexnet(r=-5), "r=-5 must be a positive integer"),
    (lambda: sc.models.alexnet.net(n=2),
     "n is a size of alexnet's input and no parameter of its layers"),
    (lambda: sc.table(sc.Linear(3), ()), "the input has no axes"),
    (lambda: sc.table(sc.Linear(3), (1, -3)), "axis 1 of the input=-3 must be a positive integer"),
    (lambda: sc.table(sc.Conv2d(c_o=8, k=3, g=3), IMAGE), "Conv2d: g=3 groups must divide c_i=4: choose another g or c_i"),
    (lambda: sc.table(sc.Conv2d(c_o=6, k=3, g=4), IMAGE), "Conv2d: g=4 groups must divide c_o=6"),
    (lambda: sc.table(sc.Sequential(stem=sc.Conv2d(c_o=8, k=9)), IMAGE),
     "stem (Conv2d): the kernel reaches over 9 and its padded input over 8, input (8, 8): use a smaller kernel"),
    (lambda: sc.table(sc.Conv2d(c_o=3, k=3), (1, 3, 8)), "Conv2d: the input (1, 3, 8) has 3 axes and must have 4"),
    (lambda: sc.table(sc.Conv2d(c_o=3, k=(3, 3, 3)), IMAGE), "k=(3, 3, 3) has 3 sizes and the input 2 spatial axes: give 2"),
    (lambda: sc.table(sc.Conv2d(c_o=3, k=3, p=(1, 1, 1)), IMAGE), "p=(1, 1, 1) has 3 paddings and the input 2 spatial axes"),
    (lambda: sc.table(sc.ConvTranspose2d(c_o=3, k=3, p=5), IMAGE), "the padding p=5 takes away all of the output of input"),
    (lambda: sc.table(sc.MaxPool2d(k=2, s=2, p=1, ceil=True), IMAGE), "ceil=True needs s + p <= k, not s=2, p=1, k=2"),
    (lambda: sc.table(sc.GlobalAvgPool(), (1, 4)), "GlobalAvgPool: the input (1, 4) has no places to pool"),
    (lambda: sc.table(sc.GlobalMaxPool(), (1, 4)), "GlobalMaxPool: the input (1, 4) has no places to pool"),
    (lambda: sc.table(sc.GroupNorm(3), IMAGE), "GroupNorm: g=3 groups must divide the channels 4"),
    (lambda: sc.table(sc.GLU(), (1, 5)), "GLU: the features 5 must be even to be halved"),
    (lambda: sc.table(sc.Residual(sc.Conv2d(c_o=4, k=3)), IMAGE), "Residual: the body has (1, 4, 6, 6) and must have (1, 4, 8, 8)"),
    (lambda: sc.table(sc.Repeat(sc.Linear(3), 2), (1, 2)),
     "Repeat: block_1, as the first adds 1 channels, has (1, 3) and must have (1, 4): make their shapes equal"),
    (lambda: sc.table(sc.Repeat(sc.Linear(3), "L"), (1, 2)),
     "Repeat: a later block, as the first adds 1 channels, has (1, 3) and must have"),
    (lambda: sc.table(sc.Repeat(sc.Linear(2), 2), (1, 3)), "Repeat: the repeated block's output has (1, 2) and must have (1, 3)"),
    (lambda: sc.table(sc.Repeat(sc.Branch(sc.Identity(), sc.Linear(8)), "L"), (1, "block_number")),
     "Repeat: block_number is the number of the block itself: give the symbol another name"),
    (lambda: sc.table(sc.Repeat(sc.Repeat(sc.Branch(sc.Identity(), sc.Linear(8)), "K"), "L"), (1, 2)),
     "block_# (Repeat): the block grows inside one that grows: give times=K or the outer times as a number"),
    (lambda: sc.table(sc.Branch(sc.MaxPool2d(k=2), sc.Identity()), IMAGE),
     "Branch: a branch has (1, 4, 8, 8) and must fit (1, 4, 4, 4) in all but the channels"),
    (lambda: sc.table(sc.Attention(H=3), (1, 4, 8)), "Attention: H=3 heads must divide the features d=8"),
    (lambda: sc.table(sc.Attention(H=4, H_kv=3), (1, 4, 8)), "H_kv=3 heads of keys must divide H=4"),
    (lambda: sc.table(sc.Attention(H=4, M=2), (1, 4, 8)), "M=2 keys are fewer than the 4 tokens of input (1, 4, 8)"),
    (lambda: sc.table(sc.Attention(H=8, rotary=True), (1, 4, 8)), "rotary needs an even d_k, not 1"),
    (lambda: sc.table(sc.Attention(H=1), (1, 8)), "Attention: the input (1, 8) has 2 axes and must have 3: give it as (n, N, d)"),
    (lambda: sc.table(sc.LinearAttention(H=3), (1, 4, 8)), "H=3 heads must divide the features d=8"),
    (lambda: sc.table(sc.LinearCore(3), (1, 4, 8)), "the channels 8 must be a multiple of 3 d_k=9"),
    (lambda: sc.table(sc.LSTM(3), (1, 8)), "LSTM: the input (1, 8) has 2 axes and must have 3: give it as (n, N, c)"),
    (lambda: sc.table(sc.MoE(E=2, d_f=4, k=3), (1, 4, 8)), "MoE: k=3 experts of E=2 cannot be picked: give fewer"),
    (lambda: sc.table(sc.PositionEmbedding(3), (1, 4, 8)), "there are 4 positions and a table of N_max=3: take fewer"),
    (lambda: sc.table(sc.TiedEmbedding(V=9, d=8, body=sc.Linear(4)), (1, 4)), "must have the table's d=8 features"),
    (lambda: sc.build(sc.Linear("d")), "the network has no value for d: give them, as build(net, d=...)"),
    (lambda: sc.build(sc.Linear("d"), e=3), "unknown symbol 'e': the symbols here are d"),
    (lambda: sc.Linear("d").subs(d=0), "d=0 must be a positive integer"),
    (lambda: sc.build(3), "3 is not a layer"),
    (lambda: sc.models.mobilenet_v2(width="wide!"), "width=wide! cannot be read as a multiplier: give a number such"),
    (lambda: sc.models.mobilenet_v2(width=-1), "width=-1 must be positive"),
    (lambda: sc.models.densenet121(L1=0), "L1=0 must be a positive integer or an expression of symbols: give one"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_input_is_one_line(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(sc.SymcostError) as problem:
        make()
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


def test_an_unknown_layer_offers_the_nearest() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Conv2D': did you mean Conv2d or"):
        _ = sc.Conv2D  # type: ignore[attr-defined]


def test_a_layer_without_a_twin_says_where_one_goes() -> None:
    class Own(sc.Layer):
        """A user's layer."""

        def forward(self, tape: Any, x: Any) -> Any:
            return x

    assert sc.table(Own(), (1, 2)).params == 0
    with pytest.raises(sc.ShapeError, match="Own has no Flax twin: register one in symcost/layers/twins"):
        sc.build(Own()).init(__import__("jax").random.key(0), __import__("jax").numpy.zeros((1, 2)))


OUTSIDE = [
    (sc.Linear("d"), ("n", "c"), {"d": 0}, "d=0 is outside the domain: d must be a positive integer"),
    (sc.Linear("d"), ("n", "c"), {"e": 1}, "unknown symbol 'e': the symbols here are c, d, n"),
    (sc.GroupNorm("g"), ("n", "c", 3, 3), {"c": 4, "g": 3}, "c=4, g=3 is outside the domain: c % g == 0 must hold (GroupNorm"),
    (sc.Conv2d(c_o=3, k=5), (1, 1, "h", 9), {"h": 4}, "h=4 is outside the domain: h - 5 >= 0 must hold (Conv2d: the kernel"),
    (sc.Linear("d/2"), ("n", "c"), {"d": 3}, "d=3 is outside the domain: d % 2 == 0 must hold"),
    (sc.Repeat(sc.ReLU(), "L - 3"), ("n", "c"), {"L": 2}, "L=2 is outside the domain: L - 3 >= 0 must hold"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "x", "at", "message"), OUTSIDE)
def test_points_outside_the_domain_are_refused(layer: sc.Layer, x: tuple, at: dict[str, int], message: str) -> None:
    with pytest.raises(sc.DomainError) as problem:
        sc.table(layer, x).subs(**at)
    assert message in str(problem.value)


DOMAINS = [
    (sc.Linear("d"), ("n", "c"), "c, d, n positive integers"),
    (sc.Conv2d(c_o=3, k=7, s=2, p=3), (1, 3, "h", "w"), "h, w positive integers; h >= 3; w >= 3"),
    (sc.Conv2d(c_o="c", k=1, g="g"), (1, "c", 1, 1), "c, g positive integers; c % g == 0"),
    (sc.AdaptiveAvgPool2d(7), (1, 3, "h", 7), "h positive integers"),
    (sc.AdaptiveAvgPool2d("o"), (1, 3, "h", 7), "h, o positive integers; h % o == 0; 7 % o == 0"),
    (sc.Sequential(sc.MaxPool2d(k=2), sc.MaxPool2d(k=2)), (1, 3, "h", 8), "h positive integers; h >= 4"),
    (sc.Attention(H="H", causal=True), (1, "N", "d"), "H, N, d positive integers; N >= 2; d % H == 0; d/H >= 2"),
    (sc.ReLU(), (1, 2), "one network"),
]


@pytest.mark.parametrize(("layer", "x", "domain"), DOMAINS)
def test_the_domain_says_where_the_forms_hold(layer: sc.Layer, x: tuple, domain: str) -> None:
    assert str(sc.table(layer, x).domain) == domain


def test_integers_of_numpy_are_integers() -> None:
    import numpy as np

    assert sc.Linear(np.int64(3)) == sc.Linear(3)
    assert sc.Linear("c").subs(c=np.int32(8)) == sc.Linear(8)
    table = sc.table(sc.Linear("c"), np.array([2, 4]))
    assert type(table.subs(c=np.int64(8)).params) is int
