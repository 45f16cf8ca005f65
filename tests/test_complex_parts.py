"""Parts of complex numbers: what only puts them together or takes them apart is nothing under XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from effort import rows
from jax import lax
from test_lowering import ours, xla

from symcost.rules.per_element import PART_BY_PART, READS_PARTS, SINCE_0_12_READS_PARTS

Z, PAIR = ("complex64[4,3]",), ("float32[4,3]", "float32[4,3]")
Function = Callable[..., Any]

ROWS: dict[str, tuple[Function, tuple[int, int]]] = {
    # twelve elements; both parts are taken and added
    "a conjugate's real part and its imaginary part": (lambda z: jnp.conj(z).real + z.imag, (36, 0)),
    # log takes 62 with the joining, then both parts are divided and joined
    "log2": (jnp.log2, (12 * (61 + 2 + 1), 12 * 4)),
    # acosh takes 105; its real part is compared, the number negated and one of both chosen
    "arccosh": (jnp.arccosh, (12 * (105 + 1 + 1 + 1), 12 * 9)),
    "twice conjugated": (lambda z: jnp.conj(jnp.conj(z)), (12 * (3 + 2), 0)),
    "the real part of a logarithm's conjugate": (lambda z: jnp.conj(lax.log(z)).real, (12 * 61, 12 * 3)),
    "parts put together again": (lambda z: (lambda y: lax.complex(y.real, y.imag))(lax.asin(z)), (12 * 105, 12 * 9)),
    "parts the other way round": (lambda z: (lambda y: lax.complex(y.imag, y.real))(lax.asin(z)), (12 * 105, 12 * 9)),
    "a known part is negated beforehand": (
        lambda z: jnp.conj(lax.complex(z.real, jnp.zeros_like(z.real))), (12 * (1 + 1), 0)),
    "the gradient of a conjugate's part": (jax.grad(lambda z: jnp.sum(jnp.conj(z).real * z.imag)), (12 * 6, 0)),
    "a state that is turned in a loop": (
        lambda z: lax.scan(lambda c, _: (lax.exp(c), lax.exp(c).real), z, None, length=3), (12 * (15 + 8) + 2, 12 * 7)),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_parts_that_were_put_together_cost_nothing_under_xla(name: str) -> None:
    function, figures = ROWS[name]
    assert xla(function, *Z) == figures
    assert ours(function, *Z) == figures


TAKEN: dict[str, Callable[[Function], Function]] = {
    "whole": lambda f: f,
    "real": lambda f: lambda z: lax.real(f(z)),
    "imaginary": lambda f: lambda z: lax.imag(f(z)),
    "both": lambda f: lambda z: (lambda y: (lax.real(y), lax.imag(y)))(f(z)),
    "a part beside the whole": lambda f: lambda z: (lambda y: (lax.real(y), y * y))(f(z)),
    "the conjugate's imaginary": lambda f: lambda z: lax.imag(lax.conj(f(z))),
    "the exponential's real": lambda f: lambda z: lax.real(lax.exp(f(z))),
}
FUNCTIONS = {
    **{name: getattr(lax, name) for name in (*PART_BY_PART, "sin", "cos")},
    **{name: (lambda f: lambda z: f(z, lax.exp(z)))(getattr(lax, name)) for name in ("max", "min")},
}


def test_every_function_of_parts_has_its_rows() -> None:
    assert {*FUNCTIONS, "abs"} == {*PART_BY_PART, *READS_PARTS, *SINCE_0_12_READS_PARTS}


def of_a_pair(function: Function) -> Function:
    """The same of a number that is put together from two."""
    return lambda a, b: function(lax.complex(a, b))


@pytest.mark.parametrize("taken", rows(TAKEN, {*TAKEN} - {"real", "the conjugate's imaginary"}))
def test_what_is_read_of_a_complex_function_counts_as_xla_counts_it(taken: str) -> None:
    for name, function in FUNCTIONS.items():
        read = TAKEN[taken](function)
        joined = of_a_pair(read)
        assert ours(read, *Z) == xla(read, *Z), name
        assert ours(joined, *PAIR) == xla(joined, *PAIR), name


@pytest.mark.parametrize("function", [lax.exp, lax.conj, lambda z: z * z], ids=["exp", "conj", "product"])
def test_a_length_of_what_is_put_together_counts_as_xla_counts_it(function: Function) -> None:
    def length(z: jax.Array) -> jax.Array:
        return jnp.abs(function(z))

    assert ours(length, *Z) == xla(length, *Z)
