"""Functions of the binary digits of sizes, and programs that halve a size until it is one: exact at every size."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from effort import rows
from hypothesis import given, settings
from hypothesis import strategies as st

import symcost as sc
from symcost.errors import ExpressionError, SymcostError
from symcost.formulas.form import Form
from symcost.formulas.functions import changed, logarithm, odd_halves, power_of_two, square_root
from symcost.formulas.symbols import evaluate, parse
from symcost.report.formats import latex
from symcost.tracing.evidence.floats.formula import Formula
from symcost.tracing.evidence.floats.steps import bounds
from symcost.tracing.evidence.guard import Guard
from symcost.tracing.fitting.fit import Fitter

METRICS: tuple[tuple[Any, str], ...] = (
    ("full", "params"),
    ("full", "macs"),
    ("full", "flops"),
    ("textbook", "macs"),
    ("full", "activations"),
)
SIZES = st.integers(1, 2**40)
N = Form.symbol("n")


def parts(n: int) -> list[int]:
    """A number and its halves."""
    return [n >> k for k in range(n.bit_length())]


TEXTS: dict[str, Callable[[int], int]] = {
    "(4*n**2 - 2*odd_halves(n, 1) + popcount(n))/3": lambda n: sum(part**2 for part in parts(n)),
    "odd_halves(n, 1)": lambda n: sum(part for part in parts(n) if part % 2),
    "popcount(n)": lambda n: n.bit_count(),
    "2*n - popcount(n)": lambda n: sum(parts(n)),
    "odd_halves(n, 2)": lambda n: sum(part**2 for part in parts(n) if part % 2),
    "odd_halves(n, 0) - popcount(n)": lambda n: 0,
    "pow2(clog2(n))": lambda n: 1 << (n - 1).bit_length(),
    "3*pow2(flog2(n)) - n": lambda n: 3 * 2 ** (n.bit_length() - 1) - n,
    "isqrt(n)": math.isqrt,
    "isqrt(n - 1) + isqrt(n/3)": lambda n: math.isqrt(n - 1) + math.isqrt(n // 3),
}


@pytest.mark.parametrize("text", TEXTS)
@settings(deadline=None)
@given(SIZES)
def test_a_function_of_digits_is_what_adding_up_gives(text: str, n: int) -> None:
    assert evaluate(parse(text), {"n": n}) == TEXTS[text](n)
    assert parse(re.sub(r"\bn\b", "12", text)) == TEXTS[text](12)


@pytest.mark.parametrize("text", TEXTS)
def test_a_space_decides_by_digits_as_points_do(text: str) -> None:
    costs = sc.trace_function(lambda x: x + 1, "float32[n]", referee=False)
    values = [*range(1, 200), 1023, 1024, 99_999]
    limit = TEXTS[text](100)
    below = sum(TEXTS[text](n) <= limit for n in values)
    for engine in ("numpy", "jax", "native") if importlib.util.find_spec("llvmlite") else ("numpy", "jax"):
        assert sc.count(costs, sc.Space(n=values), [f"{text} <= {limit}"], engine=engine) == below


@pytest.mark.parametrize("text", ["pow2(n)", "isqrt(1 - n)"])
def test_a_space_in_which_a_power_or_a_root_may_have_no_value_is_refused(text: str) -> None:
    with pytest.raises(SymcostError, match=r"from 0 to 1024, and here from 1 to 2000|at least 0 in all of it"):
        sc.count({"f": text}, sc.Space(n=range(1, 2001)), "f <= 9")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("popcount(n/2)", "the binary digits of 3/2: popcount and odd_halves are of integers of at least 0"),
        ("odd_halves(-n, 1)", "the binary digits of -3: popcount"),
        ("odd_halves(n, 9)", "the power 9 in odd_halves must be an integer from 0 to 8"),
        ("pow2(n/2)", "pow2 of 3/2 has no value: it is of integers of at least 0"),
        ("pow2(1 - n)", "pow2 of -2 has no value"),
        ("pow2(n**9)", r"2\*\*19683 has more than 8192 bits"),
        ("isqrt(2 - n)", "isqrt of -1 has no value: it is of numbers of at least 0"),
        ("odd_halves(n)", "odd_halves in 'odd_halves\\(n\\)' takes another number of arguments"),
    ],
)
def test_what_has_no_digits_is_refused(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        evaluate(parse(text), {"n": 3})


@pytest.mark.parametrize("text", ["flog2(n)", "clog2(n)", "popcount(n)", "odd_halves(n, 1)", "pow2(n)", "isqrt(n)"])
@pytest.mark.parametrize("point", [{}, {"n": 8}])
def test_steps_have_no_derivative(text: str, point: dict[str, int]) -> None:
    with pytest.raises(SymcostError, match=r"moves in steps and has no derivative: compare its values at two sizes"):
        sc.partial(parse(f"n*{text}"), "n", **point)


def test_digits_as_latex_and_forms() -> None:
    assert latex.formula(parse("popcount(n)")) == r"\operatorname{popcount} n"
    assert latex.formula(parse("odd_halves(n, 1)")) == (
        r"\sum_{k \geq 0} \left(\left\lfloor n / 2^{k} \right\rfloor \bmod 2\right) \left\lfloor n / 2^{k} \right\rfloor"
    )
    assert latex.formula(parse("pow2(n - 1)**3")) == r"\left(2^{n - 1}\right)^{3}"
    assert latex.formula(parse("isqrt(n)")) == r"\left\lfloor \sqrt{n} \right\rfloor"
    form = odd_halves(N, 1) + odd_halves(N) + logarithm("flog2", N)
    assert str(form) == "flog2(n) + odd_halves(n, 1) + popcount(n)"
    assert changed(form, lambda atom: Form.constant(12) if atom.name == "n" else None) == 4 + 2 + 3
    form = square_root(N + 1) + power_of_two(2 * N - 1)
    assert str(form) == "isqrt(n + 1) + pow2(n)**2/2"
    assert changed(form, lambda atom: Form.constant(8) if atom.name == "n" else None) == 3 + 2**15


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(-3, 3), st.integers(-3, 3), st.integers(-9, 9), st.booleans())
def test_costs_of_levels_are_found_from_their_sum(a: int, b: int, c: int, d: int, square: bool) -> None:
    """Each level costs a linear or square function of its size, another one where it is odd."""

    def cost(n: int) -> int:
        levels = parts(n)[:-1]
        return sum(a * m ** (1 + square) + b * m + c * (m % 2) * m + d for m in levels)

    fitter = Fitter(("n",), [{"n": n} for n in range(2, 34)])
    form = fitter.fit(tuple(cost(n) for n in range(2, 34)))
    assert form is not None
    assert all(form.value({"n": n}) == cost(n) for n in (34, 47, 100, 1000, 4095, 65_536))


@pytest.mark.parametrize(
    "count", [lambda n: (n - 1).bit_length(), lambda n: n.bit_length(), lambda n: n.bit_length() - 1]
)
def test_a_logarithm_of_few_samples_is_a_rival_of_roundings(count: Callable[[int], int]) -> None:
    points = [{"n": value} for value in (193, 255, 230, 311, 364, 421, 502, 283, 546)]
    column = tuple(count(point["n"]) for point in points)
    fitter = Fitter(("n",), points)
    fitter.fit(column)
    found = fitter.rival_forms.get(column, [fitter.fitted[column]])
    assert any(
        form is not None and all(form.value({"n": v}) == count(v) for v in (2, 512, 513, 70_000)) for form in found
    )


# -- decisions of floats -----------------------------------------------------------------------------------------
@settings(deadline=None)
@given(st.sampled_from(["math.log", "math.sqrt", "np.log", "math.log1p"]), st.integers(2, 10**6), st.floats(0.1, 12))
def test_a_decision_of_a_growing_float_turns_where_python_says(function: str, here: int, limit: float) -> None:
    side = Formula(function, (2 * N + 1,))
    op = ">" if side.value({"n": here}) > limit else "<="
    found = bounds(Guard(side, op, Formula("number", (limit,))), {"n": here})
    for value in {
        max(1, here // 3),
        here,
        2 * here,
        *(each.number + k for each in found if each.number for k in (-1, 0, 1)),
    }:
        right = (side.value({"n": value}) > limit) == (op == ">")
        if found and value > 0:
            assert all(each.holds({"n": value}) for each in found) == right


# -- programs ----------------------------------------------------------------------------------------------------
def concrete(spec: str, point: dict[str, int]) -> str:
    """The spec with numbers for its symbols."""
    head, dims = spec[:-1].split("[")
    return f"{head}[{','.join(str(point.get(dim, dim)) for dim in dims.split(','))}]"


def check(function: Callable[..., Any], specs: tuple[str, ...], points: list[dict[str, int]]) -> sc.CostTable:
    """A closed form that has a number at all points, those of fresh traces."""
    costs = sc.trace_function(function, *specs, referee=False)
    for point in points:
        here = costs.subs(**point)
        right = sc.trace_function(function, *(concrete(spec, point) for spec in specs), referee=False)
        for convention, metric in METRICS:
            assert getattr(here.total(convention), metric) == getattr(right.total(convention), metric), (point, metric)
    return costs


def pyramid(x: jax.Array) -> jax.Array:
    """Halved, rounded down, until one is left."""
    out = x.sum()
    while x.shape[1] > 1:
        half = x.shape[1] // 2
        x = x[:, : 2 * half].reshape(x.shape[0], half, 2).mean(-1)
        out = out + x.sum()
    return out


def rounded_up(x: jax.Array) -> jax.Array:
    """Halved, rounded up, until one is left."""
    while x.shape[0] > 1:
        half = (x.shape[0] + 1) // 2
        x = jnp.pad(x, (0, 2 * half - x.shape[0])).reshape(half, 2).sum(-1)
    return x


class Grown(nn.Module):
    """Twice as long with each octave beyond the second, in stages, as a generator grows an image."""

    r: int

    @nn.compact
    def __call__(self, z: jax.Array) -> jax.Array:
        x = z.reshape(1, 4)
        for _ in range(int(math.log2(self.r)) - 2):
            x = jnp.repeat(x * 2, 2, axis=1)
        return x


FAR = (2, 3, 4, 5, 7, 8, 63, 64, 100, 127, 128, 300, 1000, 4095, 4096)
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[str, ...], list[dict[str, int]]]] = {
    "sums in pairs": (lambda x: jax.lax.associative_scan(jnp.add, x), ("float32[T,d]",), [{"T": v, "d": 3} for v in FAR]),
    "products of matrices in pairs, from the end": (
        lambda x: jax.lax.associative_scan(jnp.matmul, x, reverse=True), ("float32[T,d,d]",), [{"T": v, "d": 4} for v in FAR]),
    "a pyramid": (pyramid, ("float32[n,s]",), [{"n": 3, "s": v} for v in FAR]),
    "a pyramid rounded up": (rounded_up, ("float32[s]",), [{"s": v} for v in FAR]),
    "an interpolation": (lambda x, a, b: jnp.interp(x, a, b), ("float32[k]", "float32[m]", "float32[m]"),
                         [{"k": 7, "m": v} for v in (3, 4, 7, 8, 100, 511, 512, 513, 767, 1000, 5000)]),
    "a permutation": (lambda x: jax.random.permutation(jax.random.key(0), x), ("float32[n]",),
                      [{"n": v} for v in (2, 100, 1625, 1626, 4096, 2_642_245, 2_642_246)]),
}  # fmt: skip


SLOW = {
    "a permutation",
    "products of matrices in pairs, from the end",
    "a pyramid",
    "an interpolation",
    "sums in pairs",
}


@pytest.mark.parametrize("name", rows(PROGRAMS, SLOW))
def test_a_program_that_follows_a_logarithm_is_exact_at_every_size(name: str) -> None:
    check(*PROGRAMS[name])


@pytest.mark.campaign
def test_as_many_stages_as_a_resolution_has_octaves_are_twice_as_long_each() -> None:
    costs = sc.trace(Grown, "float32[4]", referee=False)
    for r in (8, 15, 16, 64, 100, 1000, 1024, 4096):
        stages = r.bit_length() - 3
        assert costs.subs(r=r, check=True).flops == sum(4 * 2**k for k in range(stages))


@pytest.mark.campaign
def test_a_scan_in_pairs_is_told_and_saved(tmp_path: Path) -> None:
    costs = sc.trace_function(lambda x: jax.lax.associative_scan(jnp.add, x), "float32[T]", referee=False)
    assert str(costs.flops) == "4*T - flog2(T) - 2*popcount(T) - 2"
    assert costs.domain.evidence["T"].why == (
        "tried up to 1,048,576: the program halves it again and again, as often as it has binary digits"
    )
    costs.save(tmp_path / "scan.json")
    read = sc.load(tmp_path / "scan.json")
    sizes = [2, 3, 100, 1000, 65_536]
    assert [read.subs(T=T).activations for T in sizes] == [costs.subs(T=T).activations for T in sizes]
    flops = {T: 4 * T - (T.bit_length() - 1) - 2 * T.bit_count() - 2 for T in sizes}
    space = sc.Space(T=sizes)
    assert sc.count(read, space, ["flops <= 400"]) == sum(value <= 400 for value in flops.values())


class Layers(nn.Module):
    """As many layers as a number has binary digits."""

    N: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(self.N.bit_length()):
            x = nn.Dense(8)(x)
        return x


def test_layers_by_the_digits_of_a_number() -> None:
    costs = sc.trace(lambda N: Layers(N), "float32[n,8]", referee=False)
    assert [costs.subs(N=N, n=1).params for N in (1, 2, 8, 1000, 1023, 1024)] == [72 * k for k in (1, 2, 4, 10, 10, 11)]


@pytest.mark.campaign  # as the row of it is
def test_a_permutation_takes_more_rounds_from_a_size_on() -> None:
    def rounds(x: jax.Array) -> jax.Array:
        return jax.random.permutation(jax.random.key(0), x)

    costs = sc.trace_function(rounds, "float32[n]", referee=False)
    assert next(str(decision).split(" (")[0] for decision in costs.domain.decisions) == "n <= 1625 or not"
    sorts = [
        sum(row.op == "sort" for row in sc.trace_function(rounds, f"float32[{n}]", referee=False).rows)
        for n in (1625, 1626)
    ]
    assert sorts == [1, 2]
