"""Conditions on sizes read from a program's own lines: in symbols, true at the first point, false where it goes another way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from symcost.tracing.evidence.frames.conditions import Sizes, sizes
from symcost.tracing.evidence.frames.observe import observe
from symcost.tracing.evidence.frames.watch import watch
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.given import make_model

POINTS = ({"d": 24, "H": 2, "N": 17}, {"d": 60, "H": 3, "N": 31}, {"d": 112, "H": 4, "N": 23})


def read(program: Callable[..., Any], points: tuple[Mapping[str, int], ...] = POINTS) -> Sizes:
    """A function of the symbols watched at some points."""
    return sizes([watch(lambda p=p: program(**p), p) for p in points])


def odd(d: int, H: int, N: int) -> bool:
    return d // H % 2 == 1


def by_chain(d: int, H: int, N: int) -> bool:
    return 8 < N <= 4096


def by_pair(d: int, H: int, N: int) -> bool:
    return (N, d) != (14, 14)


def by_equal_pair(d: int, H: int, N: int) -> bool:
    return (N, d) == (N, d)


def by_names(d: int, H: int, N: int) -> Any:
    width = d
    heads = width // H
    return "wide" if heads > 64 else "narrow"


def by_dictionary(d: int, H: int, N: int) -> int:
    return {224: 14, 384: 24}.get(N, 7)


def by_place(d: int, H: int, N: int) -> int:
    return (4, 8, 16, 32)[min(N // 8, 3)]


def by_no_place(d: int, H: int, N: int) -> int:
    try:
        return [4, 8][N]
    except IndexError:
        return 16


ROWS = {(14, 64): 1, (28, 96): 2}


def by_row(d: int, H: int, N: int) -> bool:
    return (N, d) in ROWS


def by_key_of_a_row(d: int, H: int, N: int) -> int:
    return {(14, 64): 1}.get((N, d), 2)


def by_distinct_sizes(d: int, H: int, N: int) -> bool:
    return len({N, d, 64}) < 3


def by_a_row_in_part(d: int, H: int, N: int) -> bool:
    return (N, str(d)) in ROWS


def by_match(d: int, H: int, N: int) -> int:
    match N:
        case 224 | 256:
            return 1
        case _:
            return 2


def by_clamp(d: int, H: int, N: int) -> int:
    return max(8, min(d // 16, 32))


def after_a_rounding(d: int, H: int, N: int) -> int:
    inner = int(d * 0.7)
    return max(8, inner // 16)


def by_log(d: int, H: int, N: int) -> float:
    return math.log(N) if N > 2048 else 1.0


def not_divided(d: int, H: int, N: int) -> None:
    if d % H:
        raise ValueError("the width must be a multiple of the heads")


def two_sizes(d: int, H: int, N: int) -> bool:
    return d <= N


def of_a_constant(d: int, H: int, N: int) -> bool:
    layers = 12
    return layers > 3 and layers % 4 == 0


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        (odd, {"floor(d/H) % 2 == 0"}),
        (by_chain, {"N >= 9", "N <= 4096"}),
        (by_pair, {"N != 14", "d != 14"}),
        (by_equal_pair, set()),
        (by_names, {"d/H <= 64"}),
        (by_dictionary, {"N != 224", "N != 384"}),
        (by_place, {"floor(N/8) == 2", "N <= 31"}),
        (by_no_place, {"N >= 2"}),
        (by_row, {"N != 14", "d != 64", "N != 28", "d != 96"}),
        (by_key_of_a_row, {"N != 14", "d != 64"}),
        (by_distinct_sizes, {"N != d", "d != 64", "N != 64"}),
        (by_a_row_in_part, set()),
        (by_match, {"N != 224", "N != 256"}),
        (by_clamp, {"d <= 527", "d <= 143"}),
        (by_log, {"N <= 2048"}),
        (not_divided, {"d % H == 0"}),
        (two_sizes, {"d >= N + 1"}),
        (of_a_constant, set()),
    ],
)
def test_lines_of_a_program_are_conditions_in_symbols(program: Any, wanted: set[str]) -> None:
    found = read(program)
    assert {str(guard) for guard in found.guards} == wanted
    assert not found.unfitted


def test_every_condition_holds_at_the_first_point() -> None:
    for program in (odd, by_chain, by_pair, by_clamp, after_a_rounding, not_divided, two_sizes):
        assert all(guard.holds(POINTS[0]) for guard in read(program).guards)


def test_a_clamp_behind_a_rounding_is_seen_in_the_programs_own_floats() -> None:
    found = read(after_a_rounding)
    assert [str(rounding) for rounding in found.roundings] == ["int((d * 0.7))"]
    (clamp,) = found.guards
    assert not clamp.readable
    wrong = [d for d in range(1, 2000) if clamp.holds({"d": d}) != (max(8, int(d * 0.7) // 16) == 8)]
    assert not [d for d in wrong if int(d * 0.7) // 16 != 8], "where both arguments are equal either may be taken"


def test_a_size_without_a_formula_is_told_with_its_values() -> None:
    def program(d: int, H: int, N: int) -> bool:
        digits = len(str(d)) + d
        return digits % 7 > 5

    (found,) = read(program).unfitted
    assert str(found).startswith("(digits % 7) = 5, 6, 3 at ")


# -- models ------------------------------------------------------------------------------------------------------


class Limited(nn.Module):
    """A layer with a limit on its groups, and a long sequence treated in another way."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.GroupNorm(min(32, self.d))(nn.Dense(self.d)(x))
        return x[:, ::2] if x.shape[1] > 512 else x


def test_conditions_of_a_linen_module_are_in_its_symbols() -> None:
    model = make_model(lambda d: Limited(d), ("float32[n,N,8]",))
    found = sizes(
        [observe(model, p) for p in ({"n": 2, "N": 33, "d": 8}, {"n": 3, "N": 17, "d": 12}, {"n": 5, "N": 9, "d": 20})]
    )
    told = {str(guard) for guard in found.guards}
    assert {"d <= 32", "N <= 512"} <= told


class Headed(nnx.Module):
    """A layer of nnx whose constructor divides its width."""

    def __init__(self, d: int, H: int, *, rngs: nnx.Rngs) -> None:
        if d % H != 0:
            raise ValueError("d must be a multiple of H")
        self.inner = nnx.Linear(d, d // H, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.inner(x)


def test_constructors_of_nnx_modules_are_watched_at_every_observation() -> None:
    model = make_model(Headed, ("float32[n,d]",))
    points = ({"n": 5, "d": 24, "H": 2}, {"n": 7, "d": 60, "H": 3})
    for _ in range(2):
        assert "d % H == 0" in {str(guard) for guard in sizes([observe(model, p) for p in points]).guards}


@jax.jit
def long_ones_are_scaled(x: Any) -> Any:
    return x * 2 if x.shape[0] > 777 else x


def test_functions_that_jax_has_traced_before_are_seen_again() -> None:
    model = make_model(lambda: Squared(), ("float32[N]",))
    for _ in range(2):
        found = sizes([observe(model, {"N": n}) for n in (5, 9)])
        assert {str(guard) for guard in found.guards} == {"N <= 777"}


class Squared(nn.Module):
    """A module that calls a compiled function."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return long_ones_are_scaled(jnp.square(x))


def test_what_a_model_raises_names_the_point() -> None:
    model = make_model(Headed, ("float32[n,d]",))
    with pytest.raises(PointError, match="d must be a multiple of H"):
        observe(model, {"n": 2, "d": 25, "H": 2})
