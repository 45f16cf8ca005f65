"""Decisions by a size beside others: beside a depth, beside 1, and beside decisions that make up for them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decision_programs import Grid
from effort import rows
from made_widths import Width

import symcost as sc
from symcost.formulas.form import Form, as_form
from symcost.report.words.headline import narrowed
from symcost.tracing.evidence.depths import for_all_depths
from symcost.tracing.evidence.guard import Guard
from symcost.tracing.evidence.record import record
from symcost.tracing.evidence.seen import decided
from symcost.tracing.program.model import Model
from symcost.tracing.program.spec import parse_tree


class Layers(nn.Module):
    """So many layers of a width that follows the layer, and a head of a width that follows the number of layers."""

    L: int
    d: int
    wide: Callable[[int, int], int]
    head: Callable[[int, int], int]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = nn.Dense(8)(nn.Dense(self.wide(i, self.d))(x))
        return nn.Dense(self.head(self.L, self.d))(x)


DEPTHS: dict[str, tuple[Callable[[int, int], int], Callable[[int, int], int], int]] = {
    "a width that the depth divides": (lambda i, d: d, lambda L, d: 24 if d % L == 0 else 12, 40),
    "a width that layers grow to": (lambda i, d: d if 16 * i < d else 12, lambda L, d: 4, 30),
}
"""Which width a layer and the head have, and at how many points there is to be a number."""


@pytest.mark.parametrize("name", rows(DEPTHS, {"a width that the depth divides"}))
def test_what_is_decided_by_a_size_beside_a_depth_is_known_at_every_depth(name: str) -> None:
    wide, head, least = DEPTHS[name]
    costs = sc.trace(lambda L, d: Layers(L, d, wide, head), "float32[2,8]", referee=False)
    depths, widths = (1, 2, 3, 4, 7, 8, 12, 30), (1, 9, 16, 17, 20, 33, 40, 41, 80, 81, 120, 121, 300, 1000)
    inside = [(L, d) for L in depths for d in widths if costs.domain.problem({"L": L, "d": d}) is None]
    for L, d in inside:
        right = sum(17 * wide(i, d) + 8 for i in range(L)) + 9 * head(L, d)
        assert costs.subs(L=L, d=d).params == right, (L, d)
    assert len(inside) > least


@pytest.mark.parametrize("number", [lambda E: E, lambda E: 2 * E + 3])
def test_a_number_that_follows_a_depth_is_told_by_it(number: Callable[[int], int]) -> None:
    k, at = Form.symbol("k"), (5, 6, 8)
    told = for_all_depths("E", at, [Guard(k, "<=", as_form(number(E))) for E in at])
    assert told is not None
    for E in range(1, 12):
        assert [told.holds({"E": E, "k": v}) for v in range(1, 30)] == [v <= number(E) for v in range(1, 30)]


def test_a_divisor_that_is_a_depth_is_told_by_it_and_other_numbers_are_not() -> None:
    d, at = Form.symbol("d"), (5, 6, 8)
    told = for_all_depths("L", at, [Guard(d - L * (d // L), "==", as_form(0)) for L in at])
    assert str(told) == "d % L == 0"
    assert for_all_depths("L", at, [Guard(d, "<=", as_form(L**2)) for L in at]) is None
    assert for_all_depths("L", at, [Guard(d, op, as_form(4)) for op in ("<=", ">=", "<=")]) is None


def attend(q: jax.Array, k: jax.Array) -> jax.Array:
    """Scores of a sequence, of a single query without a product, of other queries."""
    if q.shape[0] == k.shape[0]:
        return q @ k.T
    if q.shape[0] == 1:
        return (k * q).sum(-1)
    return q @ k.T


def test_an_input_of_one_that_the_model_asks_for_is_a_decision_beside_others() -> None:
    costs = sc.trace_function(attend, "float32[N,8]", "float32[M,8]", referee=False)
    for N, M in ((1, 1), (1, 2), (1, 64), (2, 1), (2, 2), (3, 7), (64, 64), (100, 64)):
        assert costs.subs(N=N, M=M).macs == (0 if N == 1 != M else 8 * N * M), (N, M)


def divisors(d: int) -> int:
    return sum(1 for k in (2, 3, 5, 7) if d % k == 0) + 1


def test_decisions_that_make_up_for_one_another_are_met_each() -> None:
    costs = sc.trace(lambda d: Width(d, divisors), "float32[2,8]", referee=False)
    inside = [d for d in range(1, 1200) if costs.domain.problem({"d": d}) is None]
    assert {d: costs.subs(d=d).params for d in inside} == {d: 9 * divisors(d) for d in inside}
    assert len(inside) > 300


@dataclass
class Config:
    """A configuration that derives what is not given."""

    d: int
    heads: int = 0

    def __post_init__(self) -> None:
        self.heads = self.heads or max(1, self.d // 64)


class Headed(nn.Module):
    """A projection of as many heads as a configuration has."""

    config: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(self.config.heads > 0):
            x = nn.Dense(self.config.heads * (self.config.d // self.config.heads))(x)
        return jnp.tanh(x)


def test_widths_over_a_clamped_number_of_heads_have_numbers_where_the_quotient_has_none() -> None:
    costs = sc.trace(lambda d: Headed(Config(d)), "float32[2,8]", referee=False)
    inside = [d for d in (1, 63, 64, 65, 96, 128, 130, 200, 768, 1000, 4096) if costs.domain.problem({"d": d}) is None]
    heads = {d: max(1, d // 64) for d in inside}
    assert {d: costs.subs(d=d).params for d in inside} == {d: 9 * (h * (d // h)) for d, h in heads.items()}
    assert len(inside) > 8


def ordered(L: int) -> Layers:
    """Layers that a function decides of which nothing is known."""
    return Layers(L, 8, lambda i, d: 16 if sorted((i, 6, 12))[1] == 6 else 12, lambda L, d: 4)


def test_depths_that_were_tried_are_listed_in_words() -> None:
    costs = sc.trace(ordered, "float32[2,8]", referee=False)
    assert "L one of 1, 2, 3, 4, 5, " in str(costs.domain)
    assert any(text.startswith("only for L one of 1, 2, 3, 4, 5, ") for text in narrowed(costs))
    assert any(text.startswith("(L - 1) * (L - 2)") for text in costs.domain.conditions())


class Last(nn.Module):
    """Layers, the last ``K`` of which are wider, and which end early where there are more than so many."""

    L: int
    K: int
    early: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = nn.Dense(8)(nn.Dense(24 if i >= self.L - self.K and not self.early else 16)(x))
            if self.early and i >= self.K:
                break
        return x


@pytest.mark.parametrize("early", [False, pytest.param(True, marks=pytest.mark.campaign)])
def test_numbers_that_layers_are_compared_with_have_a_form_in_the_depth_each(early: bool) -> None:
    costs = sc.trace(lambda L, K: Last(L, K, early), "float32[2,8]", referee=False)
    for K in (1, 2, 3, 4):
        for L in (K + 1, K + 2, 7, 12, 40):
            wide = 0 if early else min(L, K)
            layers = min(L, K + 1) if early else L
            assert costs.subs(L=L, K=K).params == wide * 416 + (layers - wide) * 280, (L, K)
    assert costs.domain.evidence["K"].most == 4


@pytest.mark.campaign
def test_a_pattern_of_two_depths_together_has_numbers_for_the_least_values_of_one() -> None:
    costs = sc.trace(lambda a, b: Grid(a, b), "float32[2,9,8]", referee=False)
    inside = [p for a in range(1, 7) for b in range(1, 7) if costs.domain.problem(p := {"a": a, "b": b}) is None]
    assert len(inside) > 8 < sum(costs.subs(**point, check=True).params > 0 for point in inside)


def enlarged(x: jax.Array) -> list[jax.Array]:
    """Maps half as large layer by layer, each enlarged to the one before."""
    maps = [x]
    for _ in range(5):
        maps.append(jax.lax.conv_general_dilated(maps[-1], jnp.ones((1, 1, 3)), (2,), "SAME"))
    return [jax.image.resize(small, large.shape, "nearest") for large, small in itertools.pairwise(maps)]


def test_a_map_of_one_element_counts_where_programs_are_deeper_than_those_that_were_sampled() -> None:
    model = Model(None, None, parse_tree(("float32[n,1,r]",)), (), {}, {}, function=enlarged)
    deep = replace(record(model, {"n": 2, "r": 21}), base={"n": 2, "r": 21, "P": 5})
    shallow, same = ([str(each) for each in decided(deep, {"n": 2, "r": 21, "P": P})] for P in (2, 5))
    assert [each for each in shallow if each not in same] == ["r >= 3", "r >= 5", "r >= 9", "r >= 17"]


class Quantized(nn.Module):
    """Widths by a table of numpy's, of which each layer takes a number."""

    L: int
    w: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        widths = self.w * np.power(2.5, np.round(np.log((np.arange(self.L) * 8.0 + self.w) / self.w) / np.log(2.5)))
        for width in (np.round(widths / 8) * 8).astype(int):
            x = nn.Dense(int(width))(x)
        return x


@pytest.mark.campaign
def test_numbers_of_a_table_that_was_made_of_a_size_are_known_where_they_were_tried() -> None:
    costs = sc.trace(lambda L, w: Quantized(L, w), "float32[n,8]", referee=False)
    points = [{"n": 2, "L": L, "w": w} for L in range(1, 13) for w in (8, 16, 24, 64, 88, 168, 216, 288)]
    inside = [point for point in points if costs.domain.problem(point) is None]
    assert all(costs.subs(**point, check=True) for point in inside[::5])
    assert [costs.domain.evidence[name].word for name in ("L", "w")] == ["bounded", "bounded"]
    assert costs.domain.problem({"n": 2, "L": 30, "w": 168}) is not None


def test_a_form_is_split_by_no_decision_that_divides_by_nothing_at_small_sizes() -> None:
    def pooled(x: jax.Array) -> jax.Array:
        window = (max(1, x.shape[1] // 7),)
        return nn.avg_pool(x, window, window)

    costs = sc.trace_function(pooled, "float32[1,r,2]", referee=False)
    inside = [r for r in (1, 6, 7, 13, 14, 21, 28, 50, 56) if costs.domain.problem({"r": r}) is None]
    assert all(costs.subs(r=r, check=True).flops for r in inside)
    assert len(inside) > 3


class Adapted(nn.Module):
    """A low-rank path beside a layer, scaled by 16/r: at r = 16 the scale is 1, and the program multiplies by nothing."""

    d: int
    r: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.d)(x) + 16.0 / self.r * nn.Dense(self.d)(nn.Dense(self.r)(x))


def test_a_single_size_at_which_a_step_vanishes_has_numbers_of_its_own() -> None:
    costs = sc.trace(lambda d, r: Adapted(d, r), "float32[n,c]", referee=False)
    assert costs.domain is not None
    assert costs.domain.conditions() == []
    for r in (8, 16, 64):
        costs.subs(check=True, n=2, c=77, d=768, r=r)


def routed(x: jax.Array, chosen: jax.Array) -> jax.Array:
    """Some tokens of each sequence are doubled; numbers of sequences are no indices where there is one."""
    rows = jnp.arange(x.shape[0])[:, None]
    return x.at[rows, chosen].add(x[rows, chosen] * 2)


def test_a_batch_of_one_has_numbers_of_its_own() -> None:
    costs = sc.trace_function(routed, "float32[n,N,d]", "int32[n,k]", referee=False)
    assert costs.domain is not None
    assert not any(text.startswith("n ") for text in costs.domain.conditions())
    for n in (1, 2, 32):
        costs.subs(check=True, n=n, N=2048, d=768, k=256)


class Grouped(nn.Module):
    """Stages of widths d and 2*d, each normalised in groups of four channels, 32 groups at most, as in DDPM's U-Net."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in (self.d, 2 * self.d):
            x = nn.GroupNorm(num_groups=min(32, width // 4))(nn.Dense(width)(x))
        return x


def test_groups_that_are_bounded_in_number_have_numbers_below_the_bound_of_each_stage() -> None:
    costs = sc.trace(lambda d: Grouped(d), "float32[n,r,c]", referee=False)
    assert costs.domain is not None
    assert costs.domain.problem({"n": 2, "r": 8, "c": 3, "d": 72}) is not None  # 144 channels have no 32 groups
    for d in (128, 96, 64, 40, 8):
        costs.subs(check=True, n=2, r=8, c=3, d=d)


@pytest.mark.parametrize("large", [lambda h, w: h + w >= 100, lambda h, w: h * w > 4096])
def test_two_sizes_that_are_decided_by_together_have_numbers_however_small_one_is(
    large: Callable[[int, int], bool],
) -> None:
    costs = sc.trace_function(lambda x: jnp.exp(x) @ x.T if large(*x.shape) else x + 1, "float32[h,w]")
    for h, w in ((99, 1), (1, 99), (98, 1), (65, 65), (64, 64), (5000, 1), (1, 5000), (1000, 5), (7, 586)):
        assert costs.subs(h=h, w=w, check=True).macs == (h * h * w if large(h, w) else 0)


class Kept(nn.Module):
    """A share of the layers, in percent."""

    L: int
    percent: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(round(self.L * self.percent / 100)):
            x = nn.Dense(8)(x)
        return x


def test_programs_far_deeper_than_any_sample_are_not_waited_for() -> None:
    begun = time.process_time()
    with pytest.raises(sc.LiftError, match="the closed form is not right"):
        sc.trace(Kept, "float32[n,8]")
    assert time.process_time() - begun < 30
