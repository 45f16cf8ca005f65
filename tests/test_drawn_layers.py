"""Layers that are drawn from tables, iterators and generators: no depth is claimed beyond what was seen of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import flax.linen as nn
import pytest

import symcost as sc

WIDE = [8] * 20 + [16] * 40


def cut(L: int) -> Any:
    return ([8] * 20 + [16] * 40)[:L]


def cut_table(L: int) -> Any:
    return WIDE[:L]


def repeated(L: int) -> Any:
    return [8] * 20 + [16] * (L - 20) if L > 20 else [8] * L


def chained(L: int) -> Any:
    return itertools.islice(itertools.chain([8] * 20, itertools.repeat(16)), L)


def again(L: int) -> Any:
    return (width for _, width in zip(range(L), itertools.cycle([8, 8, 16]), strict=False))


def next_one(L: int) -> list[int]:
    widths = iter(WIDE)
    return [next(widths) for _ in range(L)]


def used_up(L: int) -> list[int]:
    widths = list(WIDE)
    return [widths.pop(0) for _ in range(L)]


def left_early(L: int) -> list[int]:
    found: list[int] = []
    for width in WIDE:
        if len(found) == L:
            break
        found.append(width)
    return found


def made_one_by_one() -> Iterator[int]:
    for _ in range(20):
        yield 8
    while True:
        yield 16


def generated(L: int) -> list[int]:
    return list(itertools.islice(made_one_by_one(), L))


def by_name(L: int) -> list[int]:
    names = [f"layer{i}" for i in range(L)]
    return [8 if len(name) < 7 else 16 for name in names]


def by_suffix(L: int) -> list[int]:
    names = [f"layer{i}" for i in range(L)]
    return [16 if name.endswith("23") else 8 for name in names]


def by_digit(L: int) -> list[int]:
    return [16 if str(i).endswith("7") else 8 for i in range(L)]


def by_bits(L: int) -> list[int]:
    return [16 if bin(i).count("1") > 4 else 8 for i in range(L)]


def by_key(L: int) -> list[int]:
    special = dict.fromkeys(range(20, 23), 16)
    return [special.get(i, 8) for i in range(L)]


def all_alike(L: int) -> Any:
    return (8,) * L


def built(widths: Callable[[int], Any]) -> Callable[[int], nn.Module]:
    """A stack of two products a layer, the first as wide as its drawn number."""

    class Drawn(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for width in widths(self.L):
                x = nn.Dense(8)(nn.Dense(width)(x))
            return x

    return lambda L: Drawn(L)


@cache
def drawn(widths: Callable[[int], Any]) -> sc.CostTable:
    """Its closed form, traced once for all that is said of it."""
    return sc.trace(built(widths), "float32[n,8]", referee=False)


ALL = (
    cut,
    cut_table,
    repeated,
    chained,
    again,
    next_one,
    used_up,
    left_early,
    generated,
    by_name,
    by_suffix,
    by_digit,
    by_bits,
    by_key,
    all_alike,
)


@pytest.mark.parametrize("widths", ALL, ids=lambda widths: widths.__name__)
def test_drawn_layers_are_right_wherever_they_are_claimed(widths: Callable[[int], Any]) -> None:
    costs = drawn(widths)
    for L in (6, 11, 19, 20, 21, 22, 23, 24, 25, 33, 47):
        if costs.domain.problem({"L": L}) is None:
            assert costs.subs(L=L).params == sum(8 * w + w + 8 * w + 8 for w in widths(L)), L


@pytest.mark.parametrize(
    "widths", [again, next_one, left_early, cut_table, by_key, repeated, all_alike], ids=lambda w: w.__name__
)
def test_what_can_be_seen_of_a_table_is_a_landmark(widths: Callable[[int], Any]) -> None:
    costs = drawn(widths)
    assert costs.domain.evidence["L"].word == "guarded"
    assert costs.domain.problem({"L": 47}) is None


@pytest.mark.parametrize(
    "widths", [cut, chained, used_up, generated, by_name, by_suffix, by_digit, by_bits], ids=lambda w: w.__name__
)
def test_what_cannot_be_seen_bounds_the_depth(widths: Callable[[int], Any]) -> None:
    domain = drawn(widths).domain
    assert domain.evidence["L"].word == "bounded"
    assert "is not understood" in domain.evidence["L"].why
    assert domain.problem({"L": 47}) is not None
