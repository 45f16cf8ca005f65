"""Trip counts: loops counted as often as they run, an error where the text does not say how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from symcost.hlo import HloError, analyse


def lower(f: Callable[..., Any], *sizes: tuple[int, ...]) -> Any:
    return jax.jit(f).lower(*(jax.ShapeDtypeStruct(size, jnp.float32) for size in sizes))


def text_of(lowered: Any) -> str:
    return lowered.compiler_ir("hlo").as_hlo_text()


def counter(limit: int) -> Callable[..., Any]:
    return lambda x: lax.fori_loop(0, limit, lambda i, c: c * 2 + i.astype(c.dtype), x)


def layers(length: int, **kw: Any) -> Callable[..., Any]:
    return lambda w, x: lax.scan(lambda c, v: (jnp.tanh(c @ v), None), x, w, length=length, **kw)[0]


def unrolled(w: Any, x: Any) -> Any:
    for v in w:
        x = jnp.tanh(x @ v)
    return x


@pytest.mark.parametrize("length", [1, 2, 8])
def test_trips_make_a_scan_equal_the_python_loop_plus_its_counter(length: int) -> None:
    specs = (length, 16, 16), (4, 16)
    loop, scan = lower(unrolled, *specs), lower(layers(length), *specs)
    truth, ours = analyse(text_of(loop)), analyse(text_of(scan), trips=True)
    inner = analyse(text_of(scan)).flops - truth.flops // length - 2
    # per trip: counter and test, and the index arithmetic of the slice
    assert ours.flops == truth.flops + length * (2 + inner)
    assert ours.transcendentals == truth.transcendentals
    assert ours.float32.flops == scan.cost_analysis()["flops"]  # float32 keeps XLA's convention: body once
    assert sum(f for f, _ in ours.by_op.values()) == ours.flops
    assert ours.by_op["dot"] == truth.by_op["dot"]


def test_trips_are_read_from_optimised_text_too() -> None:
    compiled = lower(layers(8), (8, 16, 16), (4, 16)).compile()
    assert analyse(compiled.as_text(), trips=True).by_op["dot"] == (8 * 2 * 4 * 16 * 16, 0)
    assert analyse(compiled.as_text()).float32.flops == compiled.cost_analysis()["flops"]


def loops() -> Iterator[Any]:
    yield pytest.param(counter(7), 7, id="fori")
    yield pytest.param(counter(0), 0, id="never")
    down = lambda x: lax.while_loop(lambda s: s[0] > 3, lambda s: (s[0] - 2, s[1] * 2), (10, x))  # noqa: E731
    yield pytest.param(down, 4, id="countdown")
    upto = lambda x: lax.while_loop(lambda s: s[0] <= 9, lambda s: (s[0] + 3, s[1] * 2), (0, x))  # noqa: E731
    yield pytest.param(upto, 4, id="inclusive")
    carried = lambda x: lax.while_loop(  # noqa: E731
        lambda s: s[0] < s[2], lambda s: (s[0] + 1, s[1] * 2, s[2]), (0, x, 6)
    )
    yield pytest.param(carried, 6, id="bound-in-state")


@pytest.mark.parametrize(("f", "trips"), [*loops()])
def test_trip_count_of_a_counting_loop(f: Callable[..., Any], trips: int) -> None:
    text = text_of(lower(f, (10,)))
    assert analyse(text, trips=True).by_op.get("multiply", (0, 0)) == (10 * trips, 0)


def test_trips_of_a_scalar_counter_and_of_nested_loops_multiply() -> None:
    scalar = text_of(lower(lambda: lax.while_loop(lambda c: c < 5, lambda c: c + 1, 0)))
    assert analyse(scalar, trips=True).flops == 5 * 2
    nested = text_of(lower(lambda x: lax.fori_loop(0, 3, lambda _, c: counter(4)(c), x), (10,)))
    assert analyse(nested, trips=True).by_op["multiply"] == (3 * 4 * 10, 0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: lax.while_loop(lambda c: c.sum() < 9.0, lambda c: c * c, x),
        lambda x: lax.while_loop(lambda s: s[0] < 9, lambda s: (s[0] * 2, s[1]), (1, x)),
        lambda x: lax.fori_loop(0, x[0].astype(int), lambda i, c: c * 2, x),
    ],
    ids=["data", "doubling", "traced-bound"],
)
def test_unknown_trip_count_is_an_error_naming_the_while(f: Callable[..., Any]) -> None:
    text = text_of(lower(f, (4,)))
    analyse(text)
    with pytest.raises(HloError, match=r"while 'while\.\d+' of 'main\.\d+' has no known trip count: .*False"):
        analyse(text, trips=True)
