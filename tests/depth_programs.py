"""Programs whose layers differ, each with the numbers that one run at a small depth must find."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from depth_modules import ByAttribute, Listed, Rematerialised, Scanned
from flax import nnx

X = jax.ShapeDtypeStruct((2, 8), jnp.float32)


@dataclass(frozen=True)
class Row:
    """A program of a depth, and its landmarks."""

    program: Callable[[int], Any]
    thresholds: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    moduli: set[int] = field(default_factory=set)
    shares: set[int] = field(default_factory=set)
    lengths: set[int] = field(default_factory=set)
    saw_index: bool = True
    alone: bool = True
    """Whether one run tells all: values of an inner loop look like anything until they are seen not to grow."""


def plain(wide: Callable[[int, int], Any]) -> Callable[[int], Any]:
    """A loop over the layers with a predicate, as most rows have it."""
    return lambda L: [wide(i, L) for i in range(L)]


def linen(wide: Callable[[int, int], Any]) -> Callable[[int], Any]:
    """A stack in Flax's linen in which a predicate makes some layers wider."""

    class Stack(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for i in range(self.L):
                x = nn.Dense(8)(nn.Dense(16)(x) if wide(i, self.L) else x)
            return x

    return lambda L: jax.eval_shape(Stack(L).init, jax.random.key(0), X)


def is_even(i: int) -> bool:
    return i % 2 == 0


def first_that_fits(L: int) -> list[Any]:
    tests = {"even": is_even, "other": int}
    return [next_of(tests, i) for i in range(L)]


def next_of(tests: dict[str, Callable[[int], Any]], i: int) -> Any:
    for test in tests.values():
        if test(i):
            return test
    return None


def kinds_used_up(L: int) -> list[int]:
    found: list[int] = []
    kinds = {"a": 8, "b": 8, "c": 16}
    for name, width in kinds.items():
        found.append(width + len(name))
        if len(found) >= L:
            return found
    return found


def every_third_by_enumerate(L: int) -> list[int]:
    return [i if i % 3 else kind for i, kind in enumerate([0] * L)]


def beside_a_list(L: int) -> list[int]:
    widths = [8, 16, 16, 32, 32, 64, 64, 64, 128]
    return [width for _, width in zip(range(L), widths, strict=False)]


def from_the_last(L: int) -> list[int]:
    return [i for i in reversed(range(L)) if i < 10]


def a_list_of_depths(L: int) -> list[int]:
    depths = [2, 2, 6, 2, 2, 18]
    return [depths[i] for i in range(L)]


def a_dictionary_by_layer(L: int) -> list[int]:
    special = {4: 2, 9: 3}
    return [special[i] if i in special else special.get(i, 1) for i in range(L)]


def first_of_a_list(L: int) -> list[str]:
    kinds = ["a"] * 18 + ["b"] * 6
    return list(kinds[:L])


def by_remainder_in_a_list(L: int) -> list[str]:
    kinds = ("local", "local", "global")
    return [kinds[i % 3] for i in range(L)]


def again_and_again(L: int) -> list[Any]:
    kinds = itertools.cycle(("a", "b", "b", "b", "b"))
    return [kind for _, kind in zip(range(L), kinds, strict=False)]


def nested_loops(L: int) -> int:
    found = 0
    for i in range(L):
        for j in range(3):
            found += i == 5 and j == 2
    return found


def inner_loop_of_its_own(L: int) -> int:
    found = 0
    for _ in range(L):
        for j in range(3):
            found += j
    return found


def one_more_behind_the_first(L: int) -> int:
    found = 0
    for stage in range(3):
        for _ in range(L + (stage > 0)):
            found += 1
        for _ in range(L if stage else 2):
            found += 1
    return found


def while_with_a_counter(L: int) -> int:
    i = found = 0
    while i < L:
        found += i > 6
        i += 1
    return found


def counted_down(L: int) -> int:
    found = 0
    while L > 0:
        if L % 5 == 0:
            found += 1
        L -= 1
    return found


def ternary(L: int) -> list[int]:
    return [16 if i < 11 else 8 for i in range(L)]


def chain_of_conditions(L: int) -> list[bool]:
    return [(i > 2 and not i > 9) or i == 13 for i in range(L)]


def turned_round(L: int) -> list[bool]:
    return [(not i > 9 and not not i != 4) or not i < 14 for i in range(L)]  # noqa: SIM202, SIM208 - what is tested


def chained_comparison(L: int) -> list[bool]:
    return [4 <= i < 17 for i in range(L)]


def walrus(L: int) -> int:
    found = 0
    for i in range(L):
        if (k := i % 6) == 5 or k < 1:
            found += 1
    return found


def by_match(L: int) -> list[int]:
    found = []
    for i in range(L):
        match i:
            case 0:
                found.append(1)
            case 7 | 9:
                found.append(2)
            case n if n > 20:
                found.append(3)
            case _:
                found.append(4)
    return found


def by_match_of_a_pair(L: int) -> list[int]:
    found = []
    for i in range(L):
        match i % 4, L:
            case 3, 12:
                found.append(1)
            case _:
                found.append(2)
    return found


def helper(i: int, L: int) -> bool:
    return i >= L - 3


def in_a_helper(L: int) -> list[bool]:
    return [helper(i, L) for i in range(L)]


def by_a_lambda(L: int) -> list[bool]:
    wide = lambda layer: layer % 7 == 6  # noqa: E731
    return [wide(i) for i in range(L)]


def by_filter(L: int) -> list[int]:
    return list(filter(lambda i: i not in (2, 14), range(L)))


def any_of_several(L: int) -> list[bool]:
    return [any(i == k for k in (3, 8)) for i in range(L)]


def first_truth(L: int) -> list[int]:
    return [1 if i else 2 for i in range(L)]


def by_bits(L: int) -> list[int]:
    return [(i & 7) + (i >> 2) for i in range(L)]


def quotient(L: int) -> list[int]:
    return [8 * 2 ** (i // 6) for i in range(L)]


def by_divmod(L: int) -> list[int]:
    found = []
    for i in range(L):
        group, place = divmod(i, 9)
        found.append(group + place)
    return found


def squares(L: int) -> list[bool]:
    return [i * i < 50 for i in range(L)]


def stages_of_width(L: int) -> list[int]:
    found, width = [], 16
    for _ in range(L):
        if width < 1024:
            found.append(width)
        width *= 2
    return found


def clamped_width(L: int) -> list[int]:
    return [min(16 * 2**i, 512) for i in range(L)]


def clamped_depth(L: int) -> int:
    return min(L, 40)


def half_of_them(L: int) -> list[bool]:
    return [i < L // 2 for i in range(L)]


def one_based(L: int) -> list[bool]:
    return [layer == L for layer in range(1, L + 1)]


def every_fourth_by_range(L: int) -> list[int]:
    return list(range(3, L, 4))


def made(kind: Any) -> Callable[[int], Any]:
    """A linen module run at a depth."""
    return lambda L: jax.eval_shape(kind(L).init, jax.random.key(0), X)


def nnx_list(L: int) -> Any:
    return nnx.eval_shape(lambda x: Listed(L, rngs=nnx.Rngs(0))(x), X)


def uniform(L: int) -> Any:
    return [L * 8 for _ in range(L)]


ROWS = {
    "period 8": Row(plain(lambda i, L: (i + 1) % 8 == 0), moduli={8}),
    "period 12": Row(linen(lambda i, L: i % 12 == 11), moduli={12}),
    "first three": Row(linen(lambda i, L: i < 3), {3}),
    "first six": Row(plain(lambda i, L: i < 6), {6}),
    "first twenty": Row(plain(lambda i, L: i < 20), {20}),
    "shifted": Row(plain(lambda i, L: i + 1 < 20), {19}),
    "deep models": Row(plain(lambda i, L: L > 24), {24}, saw_index=False),
    "last eight": Row(linen(lambda i, L: i >= L - 8), ends={8}),
    "last one": Row(plain(lambda i, L: i == L - 1), ends={1}),
    "the fifth": Row(plain(lambda i, L: i == 4), {4}),
    "some": Row(plain(lambda i, L: i in (3, 7, 15)), {3, 7, 15}),
    "first and last two": Row(plain(lambda i, L: i < 2 or L - i <= 2), {2}, {2}),
    "list of depths": Row(a_list_of_depths, {2, 3, 5}, lengths={6}),
    "dictionary": Row(a_dictionary_by_layer, {4, 9}),
    "slice of a list": Row(first_of_a_list, {18}, lengths={24}, saw_index=False),
    "list by remainder": Row(by_remainder_in_a_list, moduli={3}),
    "cycle": Row(again_and_again, moduli={5}, saw_index=False),
    "nested loops": Row(nested_loops, {5}),
    "a loop of its own": Row(inner_loop_of_its_own, saw_index=False),
    "one more": Row(one_more_behind_the_first, saw_index=False),
    "enumerate": Row(every_third_by_enumerate, moduli={3}),
    "zip": Row(beside_a_list, {1, 3, 5, 8}, lengths={9}, saw_index=False),
    "reversed": Row(from_the_last, {10}),
    "while": Row(while_with_a_counter, {6}),
    "counted down": Row(counted_down, {0}, moduli={5}),
    "ternary": Row(ternary, {11}),
    "chain of conditions": Row(chain_of_conditions, {2, 9, 13}),
    "turned round": Row(turned_round, {4, 9, 14}),
    "chained comparison": Row(chained_comparison, {4, 17}),
    "values of a dictionary": Row(first_that_fits, moduli={2}),
    "items of a dictionary": Row(kinds_used_up, {1, 2}, {0}, saw_index=False),
    "walrus": Row(walrus, moduli={6}),
    "match": Row(by_match, {0, 7, 9, 20}),
    "match of a pair": Row(by_match_of_a_pair, {12}, moduli={4}),
    "helper": Row(in_a_helper, ends={3}),
    "lambda": Row(by_a_lambda, moduli={7}),
    "filter": Row(by_filter, {2, 14}),
    "any": Row(any_of_several, {3, 8}, alone=False),
    "truth": Row(first_truth, {0}),
    "bits": Row(by_bits, moduli={8, 4}),
    "quotient": Row(quotient, moduli={6}),
    "divmod": Row(by_divmod, moduli={9}),
    "squares": Row(squares, {8}),
    "stages of width": Row(stages_of_width, {6}),
    "clamped width": Row(clamped_width, {6}),
    "clamped depth": Row(clamped_depth, {40}, saw_index=False),
    "half of them": Row(half_of_them, ends={0}, shares={2}),
    "one-based": Row(one_based, ends={0}),
    "range with a step": Row(every_fourth_by_range, {3}, moduli={4}, saw_index=False),
    "setup list": Row(made(ByAttribute), moduli={8}),
    "remat": Row(made(Rematerialised), moduli={8}),
    "scan": Row(made(Scanned), {24}, saw_index=False),
    "nnx list": Row(nnx_list, {1, 30}),
    "all alike": Row(uniform, saw_index=False),
}
