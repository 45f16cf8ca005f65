"""Depths, stages and windows that a program makes of its sizes: no number is given that a fresh trace denies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
from effort import by_turns

import symcost as sc
from symcost.tracing.evidence.recording import recording


class Layers(nn.Module):
    """A stack in which some layers have a second projection."""

    L: int
    wide: Callable[[int, int], object]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L):
            x = nn.Dense(8)(nn.Dense(16)(x) if self.wide(i, self.L) else x)
        return x


LAYERS: dict[str, tuple[Callable[[int, int], object], int]] = {
    "two remainders together": (lambda i, L: i % 2 and i % 3, 50),
    "a remainder of a quotient": (lambda i, L: (i // 4) % 2, 50),
    "a remainder of a quotient of a quotient": (lambda i, L: i // 2 // 2 % 2, 50),
    "one of several in order": (lambda i, L: sorted((i, 6, 12))[1] == 6, 5),
    "a rounded share": (lambda i, L: i < round(0.3 * L), 10),
    "a share by a float": (lambda i, L: i < 0.3 * L, 10),
    "a number of an array": (lambda i, L: np.linspace(0, 0.2, L)[i] > 0.15, 10),
}
"""Which layers are wide, and to how many depths of 60 at least there is to be an answer."""


@pytest.mark.parametrize("name", LAYERS)
def test_depths_have_numbers_where_their_pattern_is_known_or_where_they_were_tried(name: str) -> None:
    wide, least = LAYERS[name]
    costs = sc.trace(lambda L: Layers(L, wide), "float32[2,8]", referee=False)
    inside = [L for L in (*range(1, 60), 96) if costs.domain.problem({"L": L}) is None]
    right = {L: sum(280 if wide(i, L) else 72 for i in range(L)) for L in inside}
    assert {L: costs.subs(L=L).params for L in inside} == right
    assert len(inside) >= least


class Blocks(nn.Module):
    """As many layers as a depth has sixes beyond two, the first of them wide."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range((self.L - 2) // 6):
            x = nn.Dense(8)(nn.Dense(16)(x) if i == 0 else x)
        return x


class Halves(nn.Module):
    """Half as many layers as a depth, up to the twelfth; of a shallow stack another one is wide."""

    L: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for i in range(self.L // 2):
            if (i == 4) if self.L > 4 else (i == 0):
                x = nn.Dense(8)(nn.Dense(16)(x))
            if i == 12:
                break
        return x


def of_blocks(L: int) -> int:
    return 280 + 72 * ((L - 2) // 6 - 1) if L >= 8 else 0


def of_halves(L: int) -> int:
    return 280 * (L >= 10 or 2 <= L <= 4)


@pytest.mark.parametrize(("model", "params"), [(Blocks, of_blocks), (Halves, of_halves)])
def test_layers_that_are_a_rounded_share_of_a_number_are_counted_at_every_depth(
    model: type[nn.Module], params: Callable[[int], int]
) -> None:
    costs = sc.trace(model, "float32[2,8]", referee=False)
    depths = (*range(2, 60), 110, 1000)
    assert {L: costs.subs(L=L).params for L in depths} == {L: params(L) for L in depths}


class Stages(nn.Module):
    """Stages of layers, each of a width of its own."""

    S: int
    w: int
    width: Callable[[int], int]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for s in range(self.S):
            x = nn.relu(nn.Dense(self.w * self.width(s))(x))
        return x


@pytest.mark.parametrize(
    "width",
    [
        lambda s: 2**s,
        lambda s: s + 1,
        pytest.param(lambda s: 1 << s, marks=pytest.mark.campaign),
        pytest.param(lambda s: 3 * 4 ** (s // 2) * 2 ** (s % 2), marks=pytest.mark.campaign),
    ],
)
def test_stages_that_are_wider_each_have_numbers_as_deep_as_it_was_tried(width: Callable[[int], int]) -> None:
    costs = sc.trace(lambda S, w: Stages(S, w, width), "float32[2,8]", referee=False)
    inside = [(S, w) for S in range(1, 20) for w in (1, 6, 100) if costs.domain.problem({"S": S, "w": w}) is None]
    for S, w in inside:
        widths = [8, *(w * width(s) for s in range(S))]
        here = costs.subs(S=S, w=w)
        assert here.params == sum(b * (a + 1) for a, b in itertools.pairwise(widths)), (S, w)
        assert here.macs == 2 * sum(a * b for a, b in itertools.pairwise(widths)), (S, w)
    assert len(inside) > 35
    assert costs.subs(S=7, w=5, check=True).params


class Transitions(nn.Module):
    """Stages that make their input wider, each with a transition to half of it."""

    S: int
    g: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(self.S):
            x = jax.numpy.concatenate([x, nn.Dense(self.g)(x)], axis=-1)
            x = nn.Dense(x.shape[-1] // 2)(x)
        return x


def stages(**options: Any) -> sc.CostTable:
    """The form of stages with transitions."""
    return sc.trace(lambda S, g: Transitions(S, g), "float32[2,8]", referee=False, **options)


@pytest.mark.campaign
def test_stages_of_which_no_one_form_is_known_have_one_each() -> None:
    costs = stages()
    for S, g in itertools.product((1, 2, 3, 4), (1, 2, 7, 32)):
        widths = [8]
        for _ in range(S):
            widths.append((widths[-1] + g) // 2)
        right = sum((a + 1) * g + (a + g + 1) * b for a, b in itertools.pairwise(widths))
        assert costs.subs(S=S, g=g).params == right
    assert costs.subs(S=3, g=5, check=True).macs == costs.subs(S=3, g=5).macs
    assert costs.domain.evidence["S"].most == 4
    assert "S <= 4" in costs.domain.conditions()  # and not only where S >= 4
    assert all(f"where S = {S}: " in str(costs) for S in (1, 2, 3))
    assert costs.domain.evidence["g"].word == "proved"
    with pytest.raises(sc.DomainError, match=r'S=5 is beyond what was tried, S up to 4, .* upto=\{"S": 5\}'):
        costs.subs(S=5, g=4)


@pytest.mark.campaign
def test_so_many_stages_have_a_form_as_are_asked_for() -> None:
    assert stages(upto={"S": 5}).subs(S=5, g=4, check=True).params
    with pytest.raises(sc.LiftError, match="the program changes with S in no regular way"):
        stages(max_pieces=1)


REMAINDERS: list[Callable[[Any, Any], Any]] = [
    lambda N, w: N % N,
    lambda N, w: (w * N) % w,
    lambda N, w: (N * w + 3) % w,
    lambda N, w: (3 + w) % w,
    lambda N, w: (w - N % w) % w,
    lambda N, w: (2 * w + 7) % (w * 2),
    lambda N, w: w**2 % (2 * w + 1),
    lambda N, w: 0 % w + 0 // w,
    lambda N, w: (w - w + 3) % w,
]


@pytest.mark.parametrize("remainder", REMAINDERS)
def test_a_remainder_by_a_size_is_a_size(remainder: Callable[[Any, Any], Any]) -> None:
    with recording({"N": 193, "w": 37}) as seen:
        found = remainder(seen.dimension("N"), seen.dimension("w"))
    for point in ({"N": 193, "w": 37}, {"N": 12, "w": 5}, {"N": 7, "w": 7}):
        assert seen.form(found).value(point) == remainder(point["N"], point["w"])


class Windows(nn.Module):
    """Sums over windows of an input that is padded up to so many of them."""

    w: int
    padded: Callable[[int, int], int]
    width: Callable[[int], int] = staticmethod(lambda w: w)

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        length, width = x.shape[1], self.width(self.w)
        x = jax.numpy.pad(x, ((0, 0), (0, self.padded(length, width) - length)))
        return x.reshape(x.shape[0], -1, width).sum(-1)


PADDED: dict[str, Callable[[int, int], int]] = {
    "what is left of a window": lambda n, w: n + (w - n % w) % w,
    "a remainder of what is negative": lambda n, w: n + (-n) % w,
    "rounded up": lambda n, w: -(-n // w) * w,
}


WINDOWS = [lambda w: w, lambda w: 2 * w + 1, lambda w: w * w + w]


@pytest.mark.parametrize(("name", "width"), [
    pytest.param(name, width, marks=by_turns(i, j, 3)) for i, name in enumerate(PADDED) for j, width in enumerate(WINDOWS)
])  # fmt: skip
def test_what_is_padded_to_windows_has_numbers_at_nearly_every_size(name: str, width: Callable[[int], int]) -> None:
    costs = sc.trace(lambda w: Windows(w, PADDED[name], width), "float32[2,N]", referee=False)
    points = [{"N": N, "w": w} for N in (1, 7, 12, 63, 64, 100) for w in (2, 3, 4, 7, 50)]
    inside = [point for point in points if costs.domain.problem(point) is None]
    for point in inside:
        windows = -(-point["N"] // width(point["w"]))
        padded = windows * width(point["w"]) != point["N"]
        assert costs.subs(**point).flops == 2 * windows * (width(point["w"]) - 1) + padded
    assert len(inside) > 20
    assert all(costs.subs(**point, check=True) for point in inside[::9])


def test_a_quotient_that_turns_far_away_is_a_decision() -> None:
    def tiled(x: jax.Array) -> jax.Array:
        return jax.numpy.tile(x, (1, 1 + x.shape[1] // 9000))

    costs = sc.trace_function(tiled, "float32[2,N]", referee=False, max_pieces=1)
    assert costs.subs(N=8999).activations == sc.trace_function(tiled, "float32[2,8999]", referee=False).activations
    with pytest.raises(sc.DomainError, match=r"N=9000 is outside the domain: floor\(N/9000\) == 0 must hold"):
        costs.subs(N=9000)
