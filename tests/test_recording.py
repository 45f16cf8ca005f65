"""What a program decides by its sizes is written down, and where nothing of it changes the program is the same."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import threading
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax._src.export import shape_poly

from symcost.errors import DomainError, TraceError
from symcost.formulas.conditions import Compare, condition
from symcost.formulas.form import Form
from symcost.formulas.symbols import evaluate
from symcost.tracing.evidence import places, selftest
from symcost.tracing.evidence.frames.watch import watch
from symcost.tracing.evidence.guard import OPERATORS, Guard, guard
from symcost.tracing.evidence.record import Recording, record, shapes_of
from symcost.tracing.evidence.recording import recording
from symcost.tracing.face import trace
from symcost.tracing.program.capture import PointError, traced
from symcost.tracing.program.model import Model, make_model
from symcost.tracing.program.paths import renew_budget
from symcost.tracing.program.spec import parse_tree


@dataclass(frozen=True)
class Row:
    """A program, the guards that it must be seen to make at the base, and the values that are tried around it."""

    name: str
    program: Callable[..., Any]
    specs: tuple[str, ...]
    base: Mapping[str, int]
    values: Mapping[str, tuple[int, ...]]
    guards: tuple[str, ...] = ()
    factory: bool = False
    pins: tuple[str, ...] = ()
    roundings: tuple[str, ...] = ()
    same: tuple[Mapping[str, int], ...] = field(default=())  # points that must be told to be the same program

    def model(self) -> Model:
        """The program as the tracer takes it, with nothing remembered."""
        if self.factory:
            return make_model(self.program, self.specs)
        return Model(None, None, parse_tree(self.specs), (), {}, {}, function=self.program)


def row(
    name: str, program: Callable[..., Any], specs: str, base: str, values: str, guards: str = "", **more: Any
) -> Row:
    def point(text: str) -> dict[str, int]:
        return {k: int(v) for k, v in (part.split("=") for part in text.split())}

    more["same"] = tuple(map(point, more.get("same", ())))
    tried = {k: tuple(map(int, v.split(","))) for k, v in (part.split("=") for part in values.split())}
    listed = tuple(part for part in guards.split("; ") if part)
    return Row(name, program, tuple(specs.split(" ")), point(base), tried, listed, **more)


# -- small modules ----------------------------------------------------------------------------------------------------
class Positions(nn.Module):
    """A table of positions for 14 by 14 patches, resized for others."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Conv(self.d, (16, 16), (16, 16))(x)
        _, h, w, _ = x.shape
        table = self.param("table", nn.initializers.normal(), (1, 14, 14, self.d))
        if (h, w) != (14, 14):
            table = jax.image.resize(table, (1, h, w, self.d), "bicubic")
        return nn.Dense(self.d)((x + table).reshape(x.shape[0], h * w, self.d))


class Norm(nn.Module):
    """At most 32 groups."""

    c: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.GroupNorm(min(32, self.c))(nn.Dense(self.c)(x))


class Seventy(nn.Module):
    """A width by a float."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(int(self.d * 0.7))(x)


def divisible(v: Any, by: int = 8) -> Any:
    new = max(by, int(v + by / 2) // by * by)
    return new + by if new < 0.9 * v else new


class Mobile(nn.Module):
    """A width multiplier in percent."""

    w: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(divisible(24 * self.w / 100))(x)


class Heads(nn.Module):
    """Heads of 64."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.MultiHeadDotProductAttention(max(1, self.d // 64))(nn.Dense(self.d)(x))


class Squeeze(nn.Module):
    """A width of at least 8."""

    c: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return nn.Dense(self.c)(nn.Dense(max(8, self.c // 16))(nn.Dense(self.c)(x)))


class Table(nn.Module):
    """A table of 512 positions, cut to the sequence."""

    N: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        table = self.param("table", nn.initializers.normal(), (512, 8))
        return nn.Dense(8)(x + table[: x.shape[1]])


class Stack(nn.Module):
    """As many layers as asked for."""

    L: int
    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for i in range(self.L):
            x = nn.Dense(self.d, name=f"layer_{i}")(x)
        return x


class Width(nnx.Module):
    """A factor that depends on the width."""

    def __init__(self, c_i: int, d: int, *, rngs: Any) -> None:
        self.first = nnx.Linear(c_i, d, rngs=rngs)
        self.second = nnx.Linear(d, 4 * d if d < 100 else 2 * d, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.second(jax.nn.relu(self.first(x)))


SIZES = {64: 3, 96: 5}


def named(x: Any) -> Any:
    """A number by its size, from a dictionary."""
    return x @ jnp.ones((x.shape[1], SIZES[x.shape[1]]))


def integers(x: Any) -> Any:
    """Twice as wide where the size is a plain integer."""
    d = x.shape[1]
    return x @ jnp.ones((d, 2 * d if isinstance(d, int) else d))


def next_power(x: Any) -> Any:
    """Padded to the next power of two."""
    n = x.shape[0]
    return jnp.pad(x, (0, 2 ** (n - 1).bit_length() - n))


def chunks(x: Any) -> Any:
    """Padded to a multiple of 16, and cut where something was added."""
    n, length = x.shape
    pad = -length % 16
    y = jnp.exp(jnp.pad(x, ((0, 0), (0, pad)))).reshape(n, -1, 16).sum(-1, keepdims=True) * jnp.ones(16)
    y = y.reshape(n, -1)
    return y[:, :length] if pad else y


def halves(x: Any) -> Any:
    """A skip connection, cropped where a row was dropped."""
    n, r = x.shape
    y = jnp.repeat(x[:, : r // 2 * 2].reshape(n, r // 2, 2).max(-1), 2, axis=1)
    return y + x[:, (r - y.shape[1]) // 2 :][:, : y.shape[1]]


def product(x: Any, width: Any) -> Any:
    """The first columns of an array with the first rows of it: a product whose sizes tell the width."""
    return x[:, :width] @ x[:width, :]


ROWS = [
    row("threshold", lambda x: x[:5] @ x[:5].T if x.shape[0] > 2048 else x, "float32[N,4]", "N=100",
        "N=8,2048,2049,5000", "N <= 2048", same=("N=2048",)),
    row("above a threshold", lambda x: x[:5] @ x[:5].T if x.shape[0] >= 2048 else x, "float32[N,4]", "N=3000",
        "N=8,2047,2048,5000", "N >= 2048", same=("N=2048",)),
    row("chained comparison", lambda x: x[:4] if 16 <= x.shape[0] < 64 else x, "float32[N]", "N=20", "N=8,16,63,64",
        "N >= 16; N <= 63", same=("N=63",)),
    row("remainder", lambda x: x @ x.T if x.shape[1] % 96 else x, "float32[n,d]", "n=3 d=100", "n=3 d=95,96,101,192",
        "d % 96 != 0", same=("n=3 d=101",)),
    row("multiple", lambda x: x @ x.T if x.shape[1] % 96 == 0 else x, "float32[n,d]", "n=3 d=192",
        "n=3 d=95,96,101,288", "d % 96 == 0", same=("n=3 d=96",)),
    row("window, short", lambda x: x[:, -4096:].T @ x[:, -4096:], "float32[n,N]", "n=3 N=100", "n=3 N=7,4095,4097,9000",
        "N <= 4095", same=("n=3 N=4095",)),
    row("window, long", lambda x: x[:, -4096:].T @ x[:, -4096:], "float32[n,N]", "n=3 N=5000",
        "n=3 N=7,4095,4096,4097,9000", "N >= 4096", same=("n=3 N=9000",)),
    row("tuple", lambda x: x @ x.T if x.shape != (14, 14) else x, "float32[h,w]", "h=14 w=9", "h=13,14 w=13,14",
        "h == 14; w != 14"),
    row("positions", lambda d: Positions(d), "float32[n,r,r,3]", "n=2 r=64 d=8", "n=2 r=208,224,240 d=8",
        "ceiling(r/16) != 14", factory=True),
    row("dictionary", named, "float32[n,d]", "n=3 d=64", "n=3 d=64,96", "", pins=("d",)),
    row("membership", lambda x: x @ x.T if x.shape[1] in (64, 96) else x, "float32[n,d]", "n=3 d=50",
        "n=3 d=50,64,80,96", "d != 64; d != 96", same=("n=3 d=80",)),
    row("membership of a set", lambda x: x @ x.T if x.shape[1] in {64, 96} else x, "float32[n,d]", "n=3 d=50",
        "n=3 d=50,64,80,96", pins=("d",)),
    row("minimum", lambda x: product(x, min(x.shape[0], 32)), "float32[n,n]", "n=20", "n=8,31,32,33,64", "n <= 32",
        same=("n=31",)),
    row("maximum", lambda x: product(x, max(8, x.shape[0] // 16)), "float32[n,n]", "n=64", "n=32,128,143,144,160,320",
        "n <= 143", same=("n=128",)),
    row("order", lambda x, y: x @ y.T if x.shape[0] < y.shape[0] else y @ x.T, "float32[n,d] float32[m,d]",
        "n=3 m=5 d=7", "n=2,5,6 m=5,6 d=7", "m >= n + 1", same=("n=2 m=9 d=4",)),
    row("float width", lambda x: product(x, int(0.7 * x.shape[0])), "float32[d,d]", "d=64", "d=10,33,90,170,335", "",
        roundings=("int(0.7*d)",), same=("d=90", "d=170")),
    row("float width of a module", Seventy, "float32[n,8]", "n=1 d=64", "n=1 d=10,90,170,335,660", factory=True,
        roundings=("int(d*0.7)",), same=("n=1 d=90",)),
    row("half to even", lambda x: product(x, max(1, round(x.shape[0] / 16))), "float32[d,d]", "d=64",
        "d=8,24,40,56,88,120", roundings=("round(d/16)",), same=("d=40",)),
    row("ceiling", lambda x: product(x, math.ceil(x.shape[0] / 16)), "float32[d,d]", "d=64", "d=33,40,48,49,100", same=("d=49",)),
    row("root", lambda x: product(x, int(math.sqrt(x.shape[0]))), "float32[d,d]", "d=64", "d=35,36,37,100",
        roundings=("int(math.sqrt(d))",), same=("d=37",)),
    row("float threshold", lambda x: x @ x if x.shape[0] * 0.1 > 5.5 else x, "float32[d,d]", "d=64", "d=54,55,56,57",
        "d*0.1 > 5.5", same=("d=57",)),
    row("logarithm", lambda x: x @ x if np.log2(x.shape[0]) >= 6 else x, "float32[d,d]", "d=100", "d=63,64,65",
        "np.log2(d) >= 6"),
    row("multiplier in percent", Mobile, "float32[n,3]", "n=1 w=100", "n=1 w=10,35,54,75,105,130", factory=True),
    row("width from heads", Heads, "float32[n,5,8]", "n=1 d=256", "n=1 d=64,128,192,320", "d >= 128", factory=True),
    row("clamped width", Squeeze, "float32[n,3]", "n=1 c=64", "n=1 c=32,128,143,144,256", "c <= 143", factory=True,
        same=("n=1 c=128",)),
    row("groups", Norm, "float32[n,5]", "n=2 c=64", "n=2 c=8,31,32,96", "c % 32 == 0", factory=True, same=("n=2 c=96",)),
    row("table", lambda: Table(0), "float32[n,N,8]", "n=2 N=100", "n=2 N=7,511,512,513", "N <= 512; N != 512", factory=True,
        same=("n=2 N=511",)),
    row("rest of a shape", lambda x: x.reshape(x.shape[0], -1, 64).sum(1), "float32[n,d]", "n=2 d=640",
        "n=2 d=64,96,128", "d % 64 == 0", same=("n=2 d=128",)),
    row("heads", lambda x: x.reshape(x.shape[0], 4, x.shape[1] // 4).sum(1), "float32[n,d]", "n=2 d=64",
        "n=2 d=62,68", "d % 4 == 0", same=("n=2 d=68",)),
    row("three products", lambda a, b, c: jnp.einsum("ln,sn,sp->lp", a, b, c), "float32[l,n] float32[s,n] float32[s,p]",
        "l=30 n=20 s=17 p=9", "l=3,64 n=16,50 s=7,64 p=9,64", ""),
    row("median", lambda x: jnp.median(x), "float32[n]", "n=11", "n=10,12,101"),
    row("padding", lambda x, w: jax.lax.conv(x, w, (2, 2), "SAME"), "float32[n,4,r,r] float32[8,4,3,3]", "n=2 r=13",
        "n=2 r=12,14,15", same=("n=2 r=15",)),
    row("diagonal", lambda x: jnp.diagonal(x), "float32[n,m]", "n=9 m=5", "n=4,5,6 m=5", "n >= m + 1"),
    row("best fifty", lambda x: jax.lax.top_k(x, min(50, x.shape[1])), "float32[n,V]", "n=2 V=100", "n=2 V=49,50,51",
        "V >= 50", same=("n=2 V=51",)),
    row("search", lambda x, q: jnp.searchsorted(x, q), "float32[k] float32[n]", "k=20 n=3", "k=8,31,32,64 n=3", pins=("k",)),
    row("chunks, padded", chunks, "float32[n,N]", "n=2 N=33", "n=2 N=16,32,40,50,64", "N % 16 != 0", same=("n=2 N=50",)),
    row("chunks, whole", chunks, "float32[n,N]", "n=2 N=48", "n=2 N=16,33,64", "N % 16 == 0", same=("n=2 N=64",)),
    row("cropped", halves, "float32[n,r]", "n=2 r=33", "n=2 r=32,34,35,131"),
    row("next power", next_power, "float32[n]", "n=20", "n=16,17,31,32,33,64", roundings=("int.bit_length(n - 1)",)),
    row("split", lambda x: jnp.split(x, 3, axis=1)[0], "float32[n,d]", "n=2 d=12", "n=2 d=11,15", "d % 3 == 0",
        same=("n=2 d=15",)),
    row("broadcast", lambda x, y: x + y, "float32[n,d] float32[m,d]", "n=4 m=4 d=3", "n=4,5 m=1,4,5 d=3", "n == m"),
    row("truth", lambda x: x @ x if (x.shape[0] - 64) // 8 else x, "float32[d,d]", "d=100", "d=64,65,71,72"),
    row("loop", lambda x: jax.lax.fori_loop(0, x.shape[0], lambda i, y: y @ y, x), "float32[d,d]", "d=6", "d=2,5,9",
        same=("d=9",)),
    row("unrolled", lambda x: sum(x[i] @ x[i].T for i in range(x.shape[0])), "float32[k,3,4]", "k=3", "k=2,4", pins=("k",)),
    row("common divisor", lambda x: product(x, math.gcd(x.shape[0], 12)), "float32[d,d]", "d=64", "d=36,40,48,66"),
    row("power", lambda x: product(x, 2 ** (x.shape[0] // 16)), "float32[d,d]", "d=64", "d=16,48,65,80"),
    row("bits", lambda x: x @ x if x.shape[0] & (x.shape[0] - 1) == 0 else x, "float32[d,d]", "d=64", "d=32,33,48,128",
        same=("d=128",)),
    row("plain integer", integers, "float32[n,d]", "n=2 d=6", "n=2 d=3,8", same=("n=2 d=8",)),
    row("conditional width of nnx", Width, "float32[n,c_i]", "n=2 c_i=3 d=20", "n=2 c_i=3 d=99,100,101", "d <= 99",
        factory=True, same=("n=2 c_i=3 d=99",)),
    row("gradient", lambda x: jax.grad(lambda y: (y[:, :5].T @ y[:, :5]).sum())(x), "float32[n,d]", "n=4 d=9",
        "n=4 d=4,5,6,20", "d >= 6", same=("n=4 d=20",)),
    row("list index", lambda x: product(x, [8, 16, 24].index(x.shape[0]) + 1), "float32[d,d]", "d=16", "d=8,16,24"),
    row("numpy scalar", lambda x: x @ x if np.int64(64) > x.shape[0] else x, "float32[d,d]", "d=20", "d=63,64,65", pins=("d",)),
    row("a bit", lambda x: product(x, x.shape[0] // 2 + 3 if x.shape[0] & 1 else x.shape[0] // 2), "float32[d,d]", "d=21",
        "d=20,22,23,40", "whole_1 != 0", same=("d=23",)),
    row("half a size", lambda x: x @ x.T, "float32[n,d/2]", "n=2 d=8", "n=2 d=7,9,10", "d % 2 == 0", same=("n=2 d=10",)),
    row("patches of a spec", lambda x: x @ x.T, "float32[n,floor(r/16)]", "n=2 r=64", "n=2 r=63,65,90", same=("n=2 r=90",)),
    row("name", lambda x: x @ x.T if f"{x.shape[0]:03d}" == "064" else x, "float32[n,d]", "n=64 d=3", "n=63,64 d=2", pins=("n",)),
    row("match", lambda x: matched(x), "float32[d,d]", "d=20", "d=8,16,20", "d != 8; d != 16"),
]  # fmt: skip


def matched(x: Any) -> Any:
    """Another program for two sizes."""
    match x.shape[0]:
        case 8:
            return x @ x
        case 16:
            return x.sum()
    return x


def concrete(model: Model, point: Mapping[str, int]) -> list[Any]:
    """Products, loops and results of a fresh trace."""
    renew_budget()
    return list(shapes_of(traced(model, point)[1].jaxpr))


def told(found: Recording, point: Mapping[str, int]) -> list[Any]:
    """The same as the recording tells them at a point."""
    here = found.at(point)

    def value(part: Any) -> Any:
        return (
            tuple(map(value, part)) if isinstance(part, tuple) else part.value(here) if isinstance(part, Form) else part
        )

    return [value(each) for each in found.shapes]


def scanned(x: Any) -> Any:
    """What jax does not do with a symbolic length."""
    return jax.lax.associative_scan(jnp.add, x @ x.T)


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_where_nothing_that_was_recorded_changes_the_program_is_the_same(case: Row) -> None:
    found = record(case.model(), case.base)
    assert found.traced, found.reason
    seen = {str(each) for each in found.guards}
    assert seen >= set(case.guards), seen
    assert found.pinned >= set(case.pins)
    assert {str(made) for made in found.roundings} >= set(case.roundings)
    assert found.proved == set(found.symbols) - found.pinned - found.rounded
    names = tuple(case.values)
    points = [dict(zip(names, values, strict=True)) for values in itertools.product(*case.values.values())]
    for point in (case.base, *points, *case.same):
        if found.changed(point) is None:
            assert told(found, point) == concrete(case.model(), point), point
    assert not [found.changed(point) for point in (case.base, *case.same) if found.changed(point)]


def test_a_size_is_an_integer_in_code_that_no_module_holds() -> None:
    def small(x: Any) -> Any:
        return x @ x if isinstance(x.shape[0], int) and x.shape[0] < 8 else x

    alone = types.FunctionType(small.__code__, {})
    model = Model(None, None, parse_tree(("float32[d,d]",)), (), {}, {}, function=alone)
    assert [str(each) for each in record(model, {"d": 5}).guards] == ["d <= 7"]


def test_guards_are_conditions_that_the_safe_parser_reads() -> None:
    read = 0
    for case in ROWS[:20]:
        found = record(case.model(), case.base)
        for each in found.guards:
            if each.readable:
                text, here = condition(str(each)), found.at(case.base)
                assert isinstance(text, Compare)
                assert OPERATORS[text.op](evaluate(text.left, here), evaluate(text.right, here))
                read += 1
    assert read > 20


def test_a_guard_names_the_line_of_the_model_that_decides() -> None:
    found = record(ROWS[3].model(), ROWS[3].base)
    (place,) = {each.place for each in found.guards if str(each) == "d % 96 != 0"}
    assert place.file == __file__
    assert 'row("remainder"' in place.text
    (pin,) = record(next(r for r in ROWS if r.name == "dictionary").model(), {"n": 3, "d": 64}).pins
    where = f"{Path(__file__).name}:{pin.place.line}"
    assert str(pin) == f"d as a plain number at {where}: return x @ jnp.ones((x.shape[1], SIZES[x.shape[1]]))"


def test_structural_symbols_stay_plain_numbers() -> None:
    model = make_model(lambda L, d: Stack(L, d), ("float32[n,c]",))
    assert record(model, {"L": 3, "d": 8, "n": 2, "c": 5}).pinned == {"L"}
    found = record(model, {"L": 3, "d": 8, "n": 2, "c": 5}, structural=("L",))
    assert (found.symbols, found.proved, found.pins) == (("n", "c", "d"), {"n", "c", "d"}, ())
    assert found.changed({"L": 4, "d": 8, "n": 2, "c": 5}) == "L is another one, and was recorded as a plain number"


def test_what_the_model_raises_is_told_in_words() -> None:
    def refuse(x: Any) -> Any:
        raise ValueError("no such size")

    found = record(Model(None, None, parse_tree(("float32[n]",)), (), {}, {}, function=refuse), {"n": 3})
    assert (found.traced, found.proved) == (False, frozenset())
    assert found.reason == "the model raised at n=n: ValueError: no such size"


def test_a_symbol_that_must_be_plain_does_not_take_the_others_with_it() -> None:
    model = Model(None, None, parse_tree(("float32[T,d]",)), (), {}, {}, function=scanned)
    found = record(model, {"T": 8, "d": 5})
    assert found.traced
    assert (found.plain, found.proved) == ("T", {"d"})
    assert found.changed({"T": 8, "d": 6}) is None
    assert found.changed({"T": 9, "d": 5}) == (
        "T is another one, and was recorded as a plain number: the model raised at T=T, d=d: NotImplementedError: "
        "associative scan over axis of non-constant size: T. You may be able to avoid this on TPU. See b/274176030."
    )


def test_a_recording_that_takes_too_long_is_given_up() -> None:
    found = record(ROWS[0].model(), ROWS[0].base, seconds=-1)
    assert (found.traced, found.reason) == (False, "recording what the program decides took more than -1 s")


def classes() -> list[dict[str, Any]]:
    """Everything that a recording replaces, as it is now."""
    from jax._src.lax import convolution, lax
    from jax._src.lax.control_flow import loops
    from jax._src.numpy import einsum

    owners: list[Any] = [shape_poly._DimExpr, shape_poly, math, np, nn.linear, nnx, convolution, loops, lax.reshape_p]
    return [*(dict(vars(owner)) for owner in owners), dict(einsum._poly_einsum_handlers), dict(globals())]


@pytest.mark.parametrize("problem", [None, ValueError("x"), KeyboardInterrupt()], ids=["done", "raised", "interrupted"])
def test_jax_and_python_are_as_before_whatever_happens_inside(problem: BaseException | None) -> None:
    before = classes()
    with contextlib.suppress(ValueError, KeyboardInterrupt), recording({"d": 3}) as seen:
        assert bool(seen.dimension("d") > 2)
        assert classes() != before
        if problem is not None:
            raise problem
    assert classes() == before


def test_other_threads_see_sizes_as_jax_made_them() -> None:
    answers: list[Any] = []

    def other(size: Any) -> None:
        answers.append(size == 3)
        try:
            answers.append(size > 2)
        except jax.errors.JAXTypeError:
            answers.append("undecided")
        except Exception as raised:
            answers.append(type(raised).__name__)
        try:
            with recording({"d": 3}):
                answers.append("entered")
        except TraceError as raised:
            answers.append(str(raised))

    with recording({"d": 3}) as seen:
        thread = threading.Thread(target=other, args=(seen.dimension("d"),))
        thread.start()
        thread.join()
        assert not seen.guards
    assert answers == [False, "InconclusiveDimensionOperation",
                       "another recording is under way in this process: wait until it is done"]  # fmt: skip


@functools.lru_cache
def remembered(d: Any) -> bool:
    """A decision of this module's that is taken once."""
    return d % 24 == 0


def test_what_a_function_remembers_is_decided_again_inside() -> None:
    wrapped, _ = remembered, remembered(193)
    with recording({"d": 193}) as seen:
        assert not remembered(seen.dimension("d"))
    assert (remembered, [*map(str, seen.guards)], seen.pins) == (wrapped, ["d % 24 != 0"], {})


@pytest.mark.parametrize("text", [str, repr, "{}".format, "{:>5}".format, lambda d: f"w{d}"])
def test_a_size_that_is_written_as_text_is_a_plain_number(text: Any) -> None:
    with recording({"d": 193}) as seen:
        assert text(seen.dimension("d")) == text(193)
    assert [str(pin).split(" at ")[0] for pin in seen.pins] == ["d as a plain number"]


def test_beside_a_recording_of_another_thread_a_model_is_counted_as_far_as_it_is_tried() -> None:
    before, made = classes(), []

    def other() -> None:
        made.append(trace(lambda d: nn.Dense(d), "float32[n,8]", referee=False))

    with recording({"d": 3}):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert classes() == before
    (costs,) = made
    assert {each.word for each in costs.domain.evidence.values()} == {"bounded"}
    assert "another recording is under way in this process" in costs.domain.evidence["d"].why
    assert costs.subs(n=3, d=5).params == 45
    with pytest.raises(DomainError, match="d=40000 is beyond what was tried"):
        costs.subs(n=3, d=40_000)


def test_beside_a_watch_of_another_thread_the_depth_is_bounded() -> None:
    class Stack(nn.Module):
        L: int

        @nn.compact
        def __call__(self, x: Any) -> Any:
            for _ in range(self.L):
                x = nn.Dense(8)(x)
            return x

    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(trace(Stack, "float32[n,8]", referee=False)))

    def run() -> None:
        thread.start()
        thread.join()

    watch(run)
    (costs,) = made
    words = {name: each.word for name, each in costs.domain.evidence.items()}
    assert words == {"n": "proved", "L": "bounded"}
    assert "the frames of a program are being watched already" in costs.domain.evidence["L"].why
    assert costs.subs(n=1, L=6).params == 6 * 72


def test_ordinary_symbolic_shapes_stay_as_they_are_inside() -> None:
    (theirs,) = jax.export.symbolic_shape("b")
    with recording({"b": 3}) as seen:
        assert theirs != 3
        assert not seen.guards
        with pytest.raises(Exception, match="inconclusive"):
            bool(theirs > 2)


@pytest.mark.parametrize("name", selftest.PROGRAMS)
def test_every_program_of_the_self_test_is_seen(name: str) -> None:
    assert selftest._problem(name) == ""


def test_without_the_hooks_the_self_test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(selftest.PROGRAMS, "a comparison", (lambda x, d, H: x, "d >= 65"))
    selftest.problem.cache_clear()
    found = record(ROWS[0].model(), ROWS[0].base)
    selftest.problem.cache_clear()
    assert found.reason == f"sizes cannot be recorded with jax {jax.__version__}: of a comparison, d >= 65 was not seen"
    assert not found.traced
    assert not found.proved


d, H, N = (Form.symbol(name) for name in "dHN")


@pytest.mark.parametrize(("left", "op", "right", "text"), [
    (d - H * (d // H), "==", 0, "d % H == 0"),
    (H * (d // H), "==", d, "d % H == 0"),
    (N * d, "==", N * H, "d == H"),
    (2048, ">=", N, "N <= 2048"),
    (64 - N, "<", 0, "N >= 65"),
    (d // 16, ">=", 8, "d >= 128"),
    (8, ">=", d // 16, "d <= 143"),
    (64 * N, "!=", 128, "N != 2"),
    (d + 1 - 2 * ((d + 1) // 2), "==", 1, "d % 2 == 0"),
    (N, ">=", 1, None),
    (64 * N, "!=", 65, None),
    (d // H, "!=", -1, None),
    (d - 8 * (d // 8), "<", 8, None),
])  # fmt: skip
def test_a_guard_is_the_simplest_equal_condition(left: Any, op: str, right: Any, text: str | None) -> None:
    found = guard(left, op, right)
    assert (None if found is None else str(found)) == text
    for values in itertools.product((1, 2, 3, 64, 143, 144, 2048), repeat=3):
        point = dict(zip("dHN", values, strict=True))
        plain = OPERATORS[op](*(side.value(point) if isinstance(side, Form) else side for side in (left, right)))
        assert plain == (found is None or found.holds(point))


def test_equal_guards_are_one_whatever_their_place() -> None:
    assert isinstance(guard(2 * d, ">", 8), Guard)
    assert guard(2 * d, ">", 8) == guard(d, ">=", 5)
    assert len({guard(2 * d, ">", 8), guard(d, ">=", 5)}) == 1


def test_a_point_where_the_model_raises_is_refused() -> None:
    case = next(r for r in ROWS if r.name == "heads")
    with pytest.raises(PointError):
        concrete(case.model(), {"n": 2, "d": 62})
    found = record(case.model(), case.base).changed({"n": 2, "d": 62})
    assert found is not None
    assert found.startswith("d % 4 == 0 does not hold (")


def test_packages_below_the_standard_library_are_models_too() -> None:
    below = places.STANDARD + "site-packages/"
    assert places.converts(places.STANDARD + "fractions.py")
    assert not places.helps(below + "a_model/layers.py")
    assert places.helps(places.NUMPY + "core.py")
