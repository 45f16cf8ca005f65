"""Programs that change with their sizes: at every point inside its domain a closed form is what a fresh trace counts.

Each row names points that people use, and whether a number is wanted there or a refusal is an answer too.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decision_programs import (
    Activated,
    Behind,
    Encoder,
    Even,
    Grouped,
    Headed,
    Kinds,
    Looked,
    Multiplied,
    Parity,
    Recent,
    Remembered,
    Residual,
    Rotated,
    Shuffled,
    Skipped,
    Speech,
    Stochastic,
    Strided,
    buckets,
    cells,
    cropped,
    evened,
    every_24th,
    looked,
    padded,
    prefilled,
    rounded,
    scaled,
    spectral,
    stack,
    together,
    window,
    windows,
)
from effort import rows
from made_widths import Width

import symcost as sc

METRICS = (("full", "params"), ("full", "macs"), ("full", "flops"), ("textbook", "macs"), ("full", "activations"))


@dataclass(frozen=True)
class Row:
    """A program, its inputs, points, and whether each of them is to have a number."""

    program: Callable[..., Any]
    specs: tuple[str, ...]
    points: Sequence[dict[str, int]]
    wanted: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_factory(self) -> bool:
        """Whether it makes a module: its parameters are symbols."""
        return set(inspect.signature(self.program).parameters) <= set(self.points[0])


class Share(nn.Module):
    """A layer of seven tenths of the width."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(int(self.d * 0.7))(x)


def depths(*values: int) -> list[dict[str, int]]:
    """Points that differ in depth."""
    return [{"n": 1, "L": value} for value in values]


ROWS: dict[str, Row] = {
    "every eighth layer": Row(stack(lambda i, L: (i + 1) % 8 == 0), ("float32[n,8]",), depths(3, 8, 12, 24, 31, 64)),
    "every twelfth layer": Row(stack(lambda i, L: i % 12 == 0), ("float32[n,8]",), depths(1, 12, 13, 24, 25, 40)),
    "every sixteenth layer from the sixth on": Row(stack(lambda i, L: i % 16 == 5), ("float32[n,8]",),
                                                   depths(3, 6, 16, 21, 22, 48, 90)),
    "the second half": Row(stack(lambda i, L: i < L // 2), ("float32[n,8]",), depths(2, 3, 12, 25)),
    "before a share of the depth in floats": Row(stack(lambda i, L: i < 0.3 * L), ("float32[n,8]",), depths(1, 3, 10, 19, 30, 47)),
    "up to a share of the depth in floats": Row(stack(lambda i, L: i <= 0.7 * L), ("float32[n,8]",), depths(1, 3, 10, 19, 47)),
    "from a rounded share of the depth on": Row(stack(lambda i, L: i >= round(0.7 * L)), ("float32[n,8]",), depths(1, 5, 15, 40)),
    "beyond a part of the depth": Row(stack(lambda i, L: i / L > 0.6), ("float32[n,8]",), depths(1, 5, 10, 33, 40)),
    "after the first nine": Row(stack(lambda i, L: i in list(range(L))[9:]), ("float32[n,8]",), depths(2, 9, 10, 24, 40), False),
    "layers in a table with a default": Row(stack(lambda i, L: {8: True, 11: True}.get(i, False)), ("float32[n,8]",),
                                            depths(8, 9, 12, 40), False),
    "rates of layers": Row(stack(lambda i, L: np.linspace(0, 1, L)[i] > 0.6), ("float32[n,8]",), depths(2, 6, 16, 31), False),
    "compared by a function in C": Row(stack(lambda i, L: operator.gt(i, 8)), ("float32[n,8]",), depths(5, 9, 10, 24), False),
    "layers by their binary digits": Row(stack(lambda i, L: i.bit_length() > 3), ("float32[n,8]",), depths(5, 8, 9, 24), False),
    "deep stacks": Row(stack(lambda i, L: L > 24), ("float32[n,8]",), depths(2, 12, 24, 25, 48)),
    "the first three layers": Row(stack(lambda i, L: i < 3), ("float32[n,8]",), depths(4, 5, 16, 61)),
    "half of the layers and the last nine": Row(stack(lambda i, L: 2 * i < L or i >= L - 9), ("float32[n,8]",),
                                                 depths(4, 12, 18, 19, 20, 25, 48)),
    "the first three layers and the last five": Row(stack(lambda i, L: i < 3 or i >= L - 5), ("float32[n,8]",),
                                                    depths(2, 5, 7, 8, 9, 12, 40)),
    "the first 20 layers and the last 30": Row(stack(lambda i, L: i < 20 or i >= L - 30), ("float32[n,8]",),
                                               depths(6, 21, 49, 50, 51, 64)),
    "the last eight layers": Row(stack(lambda i, L: i >= L - 8), ("float32[n,8]",), depths(2, 8, 9, 40)),
    "three layers by number": Row(stack(lambda i, L: i in (3, 7, 15)), ("float32[n,8]",), depths(3, 4, 8, 16, 17, 40)),
    "every fifth layer of deep stacks": Row(stack(lambda i, L: i % 5 == 1 and L > 17), ("float32[n,8]",),
                                             depths(1, 2, 9, 16, 17, 18, 22, 40)),
    "depths given on multiples": Row(stack(lambda i, L: (i + 1) % 8 == 0), ("float32[n,8]",), depths(8, 9, 12, 64), False,
                                     {"samples": {"L": (8, 16, 24, 32, 40)}}),
    "widths in percent": Row(lambda w: Multiplied(w), ("float32[n,3]",),
                             [{"n": 1, "w": v} for v in (1, 5, 10, 12, 35, 50, 54, 75, 100, 105, 140, 160, 1000)]),
    "every fourth layer, trained": Row(lambda L: Activated(L), ("float32[2,9,8]",), [{"L": v} for v in (4, 8, 14, 15, 20, 30)],
                                       options={"mode": "train"}),
    "a rotation of a part of each head": Row(lambda d, H, r: Rotated(d, H, r), ("float32[n,c]",),
                                             [{"n": 1, "c": 4, "d": 320, "H": 10, "r": 8},
                                              {"n": 2, "c": 7, "d": 4096, "H": 16, "r": 64}]),
    "products in the cheapest order": Row(lambda a, b, c: jnp.einsum("ln,sn,sp->lp", a, b, c),
                                          ("float32[l,n]", "float32[s,n]", "float32[s,p]"),
                                          [{"l": 3, "n": 50, "s": 7, "p": 9}, {"l": 64, "n": 16, "s": 64, "p": 64},
                                           {"l": 128, "n": 128, "s": 8, "p": 512}]),
    "a window in some layers": Row(lambda L: Kinds(L), ("float32[n,N,8]",),
                                   [{"n": 1, "N": N, "L": L} for L in (4, 9) for N in (64, 511, 600, 4000)], False),
    "a skip connection after one layer": Row(lambda D, w: Skipped(D, w), ("float32[n,c]",),
                                             [{"n": 1, "c": 3, "D": v, "w": 32} for v in (6, 8, 16)]),
    "positions resized but at 224": Row(lambda d: Encoder(d), ("float32[n,r,r,3]",),
                                        [{"n": 1, "r": v, "d": 64} for v in (32, 208, 224, 240, 384)]),
    "32 groups at most": Row(lambda c: Grouped(c), ("float32[n,r,r,3]",), [{"n": 1, "r": 8, "c": v} for v in (8, 32, 64, 256)]),
    "heads of 64": Row(lambda d: Headed(d), ("float32[n,N,8]",), [{"n": 1, "N": 5, "d": v} for v in (64, 128, 768, 1024)]),
    "a width by a float": Row(lambda d: Share(d), ("float32[n,8]",),
                              [{"n": 1, "d": v} for v in (10, 64, 90, 170, 335, 660)], False),
    "a window of 4,096": Row(window, ("float32[1,N,d]",) * 3, [{"N": v, "d": 8} for v in (64, 4095, 4096, 4097, 16384)]),
    "a threshold of 2,048": Row(scaled, ("float32[N]",), [{"N": v} for v in (16, 2048, 2049, 5000)]),
    "rounded half to even": Row(rounded, ("float32[n,d]", "float32[d,d]"),
                                [{"n": 1, "d": v} for v in (9, 24, 40, 56, 88, 128)], False),
    "a dictionary of widths": Row(lambda d: Looked(d), ("float32[n,8]",), [{"n": 1, "d": v} for v in (7, 8, 9, 600, 601)]),
    "a dictionary beside another size": Row(looked, ("float32[2,N,d]",), [{"N": 5, "d": v} for v in (63, 64, 65, 96, 100)]),
    "padded to one of few lengths": Row(buckets, ("float32[2,N,d]",),
                                           [{"N": v, "d": 5} for v in (5, 63, 64, 65, 127, 511, 512)], False),
    "a cache that is filled": Row(prefilled, ("float32[2,N,8]", "float32[2,M,8]"),
                                  [{"N": n, "M": m} for n in (3, 8, 64) for m in (8, 64, 100)], False),
    "two decisions together": Row(together, ("float32[2,N,d]",),
                                  [{"N": n, "d": v} for n in (64, 512, 700) for v in (64, 101, 300)], False),
    "a rounded half": Row(lambda d: Parity(d), ("float32[2,N,8]",),
                          [{"N": n, "d": v} for n in (5, 6, 7, 8, 64) for v in (96, 200)], False),
    "a window in every second layer": Row(lambda L, w: Recent(L, w), ("float32[2,N,8]",),
                                          [{"N": n, "L": 2, "w": w} for n in (64, 128, 600) for w in (8, 128, 512)], False),
    "a decision behind another": Row(lambda d: Behind(d), ("float32[2,N,8]",),
                                     [{"N": n, "d": v} for n in (64, 5000) for v in (96, 600, 601, 1200)]),
    "a decision that is remembered": Row(lambda d: Remembered(d), ("float32[2,N,8]",),
                                         [{"N": n, "d": v} for n in (64, 4096, 5000) for v in (37, 96, 1200)]),
    "chunks of 16": Row(padded, ("float32[n,N]",), [{"n": 2, "N": v} for v in (16, 33, 50, 64, 1000)]),
    "a remainder of 0": Row(every_24th, ("float32[2,N,8]",), [{"N": v} for v in (9, 24, 25, 96, 240, 1000)]),
    "odd and even": Row(cropped, ("float32[n,r]",), [{"n": 2, "r": v} for v in (32, 33, 131, 224)]),
    "a search in a table": Row(lambda x, q: jnp.searchsorted(x, q), ("float32[k]", "float32[m]"),
                               [{"k": v, "m": 10} for v in (8, 32, 100, 128, 1000, 5000, 65_536)]),
    "a permutation": Row(lambda x: jax.random.permutation(jax.random.key(0), x), ("float32[n]",),
                         [{"n": v} for v in (100, 1000, 1625, 1626, 4096)]),
    "sums in pairs": Row(lambda x: jax.lax.associative_scan(jnp.add, x), ("float32[T,d]",),
                         [{"T": v, "d": 3} for v in (2, 64, 100, 128, 1000)]),
    "blocks left out by chance": Row(lambda L: Stochastic(L), ("float32[2,3,8]",), [{"L": v} for v in (2, 3, 12, 24)],
                                     options={"mode": "train"}),
    "a chain of windows": Row(lambda d: Speech(d), ("float32[n,T]",),
                              [{"n": 1, "T": v, "d": 8} for v in (400, 719, 720, 16_000, 16_001)]),
    "windows of 7": Row(windows, ("float32[n,r,r,c]",), [{"n": 2, "c": 4, "r": v} for v in (6, 7, 8, 14, 20, 56)]),
    "an even number of rows": Row(evened, ("float32[n,4]",), [{"n": v} for v in (3, 7, 8, 100)]),
    "twelve frequencies": Row(spectral, ("float32[n,N,6]",), [{"n": 2, "N": v} for v in (8, 17, 23, 24, 64, 101)]),
    "a depth of which few are taken": Row(lambda depth: Residual(depth), ("float32[n,8]",),
                                          [{"n": 1, "depth": v} for v in (10, 16, 28, 40, 100)]),
    "a stride of 1": Row(lambda s: Strided(s), ("float32[n,N,8]",), [{"n": 1, "N": 24, "s": v} for v in (1, 2, 3, 8)]),
    "channels shuffled between groups": Row(lambda d, G: Shuffled(d, G), ("float32[n,N,8]",),
                                            [{"n": 1, "N": 9, "d": d, "G": G} for d, G in ((24, 3), (48, 8), (240, 2), (1000, 4))]),
    "a sixth of a map as a window": Row(cells, ("float32[n,r]",), [{"n": 2, "r": v} for v in (36, 41, 64, 100, 513)]),
    "a diagonal": Row(jnp.diagonal, ("float32[n,k]",), [{"n": n, "k": k} for n, k in ((6, 6), (7, 6), (7, 100), (9, 9))], False),
}  # fmt: skip

SLOW = {
    "a permutation", "widths in percent", "a rounded half", "positions resized but at 224", "sums in pairs",
    "a window in some layers", "every fifth layer of deep stacks", "heads of 64", "products in the cheapest order",
    "every fourth layer, trained", "a dictionary of widths", "a rotation of a part of each head", "every twelfth layer",
    "deep stacks", "the first 20 layers and the last 30", "half of the layers and the last nine",
    "padded to one of few lengths", "a window in every second layer", "a chain of windows", "rounded half to even",
    "windows of 7", "32 groups at most", "every sixteenth layer from the sixth on", "up to a share of the depth in floats",
    "a decision that is remembered", "a sixth of a map as a window", "a depth of which few are taken",
    "from a rounded share of the depth on", "a stride of 1",
}  # fmt: skip
"""Left to the campaign: each is of the kind of a quicker row."""


def concrete(spec: str, point: dict[str, int]) -> str:
    """The spec with numbers for its symbols."""
    head, dims = spec[:-1].split("[")
    return f"{head}[{','.join(str(point.get(dim, dim)) for dim in dims.split(','))}]"


def fresh(row: Row, point: dict[str, int]) -> sc.CostTable:
    """The same program at one point, every symbol a number."""
    specs = [concrete(spec, point) for spec in row.specs]
    mode = {"mode": row.options["mode"]} if "mode" in row.options else {}
    if not row.is_factory:
        return sc.trace_function(row.program, *specs, referee=False)
    own = {name: point[name] for name in inspect.signature(row.program).parameters}
    return sc.trace(lambda: row.program(**own), *specs, referee=False, **mode)


@pytest.mark.parametrize("name", rows(ROWS, SLOW))
def test_every_number_inside_the_domain_is_that_of_a_fresh_trace(name: str) -> None:
    row = ROWS[name]
    trace = sc.trace if row.is_factory else sc.trace_function
    costs = trace(row.program, *row.specs, referee=False, **row.options)
    for point in row.points:
        problem = costs.domain.problem(point)
        if problem is not None:
            assert not row.wanted, problem
            with pytest.raises(sc.DomainError):
                costs.subs(**point)
            continue
        here, right = costs.subs(**point), fresh(row, point)
        for convention, metric in METRICS:
            assert getattr(here.total(convention), metric) == getattr(right.total(convention), metric), (point, metric)


def test_every_symbol_has_its_word() -> None:
    evidence = sc.trace_function(window, *["float32[1,N,d]"] * 3, referee=False).domain.evidence
    assert {name: each.word for name, each in evidence.items()} == {"N": "proved", "d": "proved"}
    depth = sc.trace(stack(lambda i, L: (i + 1) % 8 == 0), "float32[n,8]", referee=False).domain.evidence
    assert (depth["n"].word, depth["L"].word) == ("proved", "guarded")
    assert depth["L"].why.startswith("layers are compared with 8 alone (test_decisions.py:")
    plain = sc.trace(stack(lambda i, L: False), "float32[n,8]", referee=False).domain.evidence
    assert plain["L"].why == "no comparison of the model's code sees the layer's index"


def test_beyond_what_was_tried_a_bounded_symbol_is_refused() -> None:
    costs = sc.trace_function(lambda x: x * len(range(x.shape[0])), "float32[n]", referee=False)
    assert costs.domain.evidence["n"].word == "bounded"
    with pytest.raises(sc.DomainError, match=r"n=1626 is beyond what was tried, n up to 1535, and nothing says more"):
        costs.subs(n=1626)


def test_a_form_in_pieces_is_saved_and_read_back(tmp_path: Any) -> None:
    costs = sc.trace_function(window, *["float32[1,N,d]"] * 3, referee=False)
    costs.save(tmp_path / "window.json")
    read = sc.load(tmp_path / "window.json")
    for N in (64, 4096, 4097, 8192):
        assert read.subs(N=N, d=8).macs == costs.subs(N=N, d=8).macs == 2 * N * min(N, 4096) * 8
    space = sc.Space(N=[64, 4096, 8192], d=[8])
    assert sc.count(costs, space, ["macs <= 2*4096*4096*8"]) == 2


TEXTS: dict[str, Callable[[int], int]] = {
    "a text that ends with a digit": lambda d: 8 if str(d).endswith("0") else 12,
    "a key made of a text": lambda d: {"w64": 24, "w600": 16}.get(f"w{d}", 12),
    "a key of a text among others": lambda d: {(64, "1"): 24}.get((d, str(1)), 12),
    "an item of a list": lambda d: ([8] * 50 + [16] + [8] * 700)[d],
    "a text by an old format": lambda d: 24 if "%05d" % d == "00064" else 12,  # noqa: UP031
    "a function in C": lambda d: 24 if d.to_bytes(4, "big")[-1] == 64 else 12,
}


@pytest.mark.parametrize("name", TEXTS)
def test_where_texts_or_keys_decide_only_sizes_that_were_tried_have_numbers(name: str, tmp_path: Any) -> None:
    costs = sc.trace(lambda d: Width(d, TEXTS[name]), "float32[n,8]", referee=False)
    costs.save(tmp_path / "texts.json")
    read = sc.load(tmp_path / "texts.json")
    found = [d for d in range(1, 700) if costs.domain.problem({"n": 1, "d": d}) is None]
    assert found
    assert found == [d for d in range(1, 700) if read.domain.problem({"n": 1, "d": d}) is None]
    assert all(costs.subs(n=1, d=d).params == 9 * TEXTS[name](d) for d in found)
    with pytest.raises(
        sc.DomainError, match=r"d=600 was not tried, and the program may be any other there \(d as a plain number"
    ):
        costs.subs(d=600)


def test_a_text_that_only_names_a_layer_decides_nothing() -> None:
    class Named(nn.Module):
        d: int

        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return nn.Dense(self.d, name=f"width_{self.d}")(x)

    costs = sc.trace(lambda d: Named(d), "float32[n,8]", referee=False)
    assert costs.subs(n=1, d=600).params == 9 * 600


RANGES: dict[str, Callable[[int], int]] = {
    "a range": lambda d: 8 if d in range(60, 300) else 12,
    "no range": lambda d: 8 if d not in range(60, 300) else 12,
    "every fourth of a range": lambda d: 8 if d in range(60, 300, 4) else 12,
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_two_bounds(name: str) -> None:
    costs = sc.trace(lambda d: Width(d, RANGES[name]), "float32[n,8]", referee=False)
    assert len(costs.domain.decisions) < 6
    sizes = [d for d in range(37, 400) if costs.domain.problem({"n": 1, "d": d}) is None]
    assert {37, 59, 296, 300} <= {*sizes}
    assert all(costs.subs(n=1, d=d).params == 9 * RANGES[name](d) for d in sizes)


MADE: dict[str, tuple[Callable[[int], int], set[int]]] = {
    "a power of two": (lambda d: 8 if d & (d - 1) == 0 else 12, {60, 65, 300}),
    "a square": (lambda d: 8 if math.sqrt(d).is_integer() else 12, {60, 65, 300}),
    "a quotient of one": (lambda d: 8 if d // 64 == 1 else 12, {60, 64, 127, 128, 300}),
    "a rounding of nothing": (lambda d: 8 if int(d * 0.01) == 0 else 12, {60, 99, 300}),
    "a key": (lambda d: {64: 24, 128: 16}.get(d, 12), {63, 64, 128, 300}),
    "a key that may be missing": (lambda d: _or_else(d, 12), {63, 64, 300}),
    "a key of two": (lambda d: {(64, 1): 24}.get((d, 1), 12), {63, 64, 300}),
    "so many distinct ones": (lambda d: 4 * len({d, 64}), {63, 64, 300}),
    "a power by a modulus": (lambda d: 8 if pow(d, 3, 11) == 0 else 12, {65, 66, 300}),
}
"""Widths by what is made of a size, and sizes that are to have a number."""


def _or_else(d: int, otherwise: int) -> int:
    try:
        return {64: 24}[d]
    except KeyError:
        return otherwise


@pytest.mark.parametrize("name", rows(MADE, {"a rounding of nothing", "a power of two"}))
def test_what_is_made_of_a_size_decides_as_the_size_does(name: str) -> None:
    made, wanted = MADE[name]
    costs = sc.trace(lambda d: Width(d, made), "float32[n,8]", referee=False)
    sizes = [d for d in (*range(1, 400), 4096, 5000, 65_536) if costs.domain.problem({"n": 1, "d": d}) is None]
    assert wanted <= {*sizes}
    assert all(costs.subs(n=1, d=d).params == 9 * made(d) for d in sizes)


FAR_AWAY = {
    "a quotient of nothing": lambda x: x if x.shape[1] // 5000 == 0 else x + 1,
    "one more than a quotient of nothing": lambda x: x if 1 + x.shape[1] // 5000 == 1 else x + 1,
    "a quotient of one": lambda x: x + 1 if x.shape[1] // 5000 == 1 else x,
    "a remainder of nothing": lambda x: x + 1 if x.shape[1] % 5000 == 0 else x,
    "a quotient of a multiple": lambda x: x + 1 if (3 * x.shape[1] + 7) // 15_000 == 1 else x,
    "repetitions": lambda x: jnp.tile(x, (1, 1 + x.shape[1] // 5000, 1)) + 1,
    "repetitions of each": lambda x: jnp.repeat(x, 1 + x.shape[1] // 5000, axis=1) + 1,
}
"""Decisions that fall alike at all sizes that are sampled."""


@pytest.mark.parametrize("name", FAR_AWAY)
def test_a_decision_that_falls_otherwise_far_beyond_the_samples_is_met(name: str) -> None:
    program = FAR_AWAY[name]
    costs = sc.trace_function(program, "float32[2,N,8]", referee=False)
    inside = [size for size in (1, 64, 4997, 4999, 5000, 5001, 20_000) if costs.domain.problem({"N": size}) is None]
    assert {1, 64, 4997} <= {*inside}
    for size in inside:
        assert costs.subs(N=size).flops == sc.trace_function(program, f"float32[2,{size},8]", referee=False).flops, size


def test_depths_that_do_not_reach_what_layers_are_compared_with_bound_the_claim() -> None:
    """Layers from the twentieth on, or the two hundredth, are others: no shallower program shows that."""
    given = sc.trace(
        stack(lambda i, L: i >= 20), "float32[n,8]", samples={"L": (2, 3, 4, 5, 6, 7, 8, 9)}, referee=False
    )
    assert given.domain.evidence["L"].word == "bounded"
    with pytest.raises(sc.DomainError, match=r"L=30 is beyond what was tried.*layers are compared with 20"):
        given.subs(L=30)
    with pytest.raises(sc.LiftError, match="a fresh trace is another one"):
        given.subs(L=30, n=1, check=True)
    share = sc.trace(
        stack(lambda i, L: L % 60 == 0), "float32[n,8]", samples={"L": (2, 3, 4, 5, 6, 7, 8, 9)}, referee=False
    )
    with pytest.raises(sc.DomainError, match="the depth and its layers are compared with 60"):
        share.subs(L=60)
    deep = sc.trace(stack(lambda i, L: i >= 200), "float32[n,8]", referee=False)
    with pytest.raises(sc.DomainError, match="layers are compared with 200"):
        deep.subs(L=300)


def test_no_number_is_given_where_the_model_raises_though_no_single_size_leads_there() -> None:
    """Beside an even number of heads no odd width divides: three heads show what the model says of 15."""
    costs = sc.trace(lambda d, H: Even(d, H), "float32[n,N,8]", referee=False)
    with pytest.raises(sc.DomainError, match="d % 2 == 0 must hold"):
        costs.subs(d=15, H=3)
    assert costs.subs(n=1, N=5, d=12, H=3, check=True).params == sc.trace(Even(12, 3), "float32[1,5,8]").params
