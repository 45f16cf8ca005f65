"""Complex numbers in whole programs: products, transforms, recurrences and gradients. Rules have rows of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

import symcost as sc
from symcost.formulas.symbols import evaluate, parse
from symcost.rules.complex_numbers import ELEMENT
from symcost.rules.per_element import COMPLEX, PER_ELEMENT


def recurrence(a: jax.Array, x: jax.Array) -> jax.Array:
    """A diagonal state space: states turn and take in a row each step."""
    return lax.scan(lambda h, row: (a * h + row, jnp.real(h)), jnp.zeros_like(a), x)[1]


def filtered(x: jax.Array, w: jax.Array) -> jax.Array:
    """A convolution through Fourier space."""
    return jnp.fft.irfft(jnp.fft.rfft(x) * w, n=x.shape[-1])


def energy(w: jax.Array, x: jax.Array) -> jax.Array:
    """The sum of squared lengths of a linear layer's results."""
    return jnp.sum(jnp.abs(x @ w) ** 2)


Row = tuple[Callable[..., Any], tuple[str, ...], str, str, str]
N = ({"m": 3, "k": 5, "n": 7}, {"m": 8, "k": 2, "n": 4}, {"m": 2, "k": 9, "n": 3})
MK, KN = "complex64[m,k]", "complex64[k,n]"
ROWS: dict[str, Row] = {
    # 4 MACs and 8 FLOPs for each complex one
    "product": (jnp.matmul, (MK, KN), "4*m*k*n", "8*m*k*n", "0"),
    "product over two axes by einsum": (
        lambda a, b: jnp.einsum("mk,mk->m", a, b), (MK, MK), "4*m*k", "8*m*k", "0"),
    # numbers of the one precision become complex ones without an operation; then all products are complex
    "real times complex": (
        lambda a, b: a * b, ("float32[m,n]", "complex64[m,n]"), "0", "6*m*n", "0"),
    "scaled by a number": (lambda z: 2.0 * z, (MK,), "0", "6*m*k", "0"),
    "integers times complex": (
        lambda a, b: a * b, ("int32[m,n]", "complex64[m,n]"), "0", "(1 + 6)*m*n", "0"),
    # the length: two squares, a sum, a root; and its square again
    "squared length": (lambda z: jnp.abs(z) ** 2, (MK,), "0", "(3 + 1)*m*k", "m*k"),
    "rotation": (lambda t, z: jnp.exp(1j * t) * z, ("complex64[m,k]", MK), "0", "(6 + 2 + 6)*m*k", "3*m*k"),
    # m steps of k states: a product and a sum; the real part is there
    "recurrence": (recurrence, ("complex64[k]", MK), "0", "m*(6 + 2)*k", "0"),
    "mean": (lambda z: jnp.mean(z, 0), (MK,), "0", "2*(m - 1)*k + 11*k", "0"),
    "sum of lengths": (
        lambda z: jnp.sum(jnp.abs(z)), (MK,), "0", "3*m*k + m*k - 1", "m*k"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_complex_programs_cost_their_real_operations_and_under_xla_what_xla_says(name: str) -> None:
    function, specs, macs, flops, transcendentals = ROWS[name]
    costs = sc.trace_function(function, *specs)
    assert sc.equal(costs.macs, parse(macs))
    assert sc.equal(costs.flops, parse(flops))
    assert sc.equal(costs.transcendentals, parse(transcendentals))
    assert sc.equal(costs.total("textbook").flops, 2 * parse(macs))
    for point in N:
        at = costs.subs(**{name: point[name] for name in costs.symbols}).total("xla")
        lowered = jax.jit(function).lower(*(shape(spec, point) for spec in specs)).cost_analysis()
        assert (at.flops, at.transcendentals) == (lowered.get("flops", 0), lowered.get("transcendentals", 0))


def shape(spec: str, point: dict[str, int]) -> jax.ShapeDtypeStruct:
    """``complex64[m,k]`` at a point."""
    dtype, dims = spec.removesuffix("]").split("[")
    return jax.ShapeDtypeStruct(tuple(int(evaluate(parse(d), point)) for d in dims.split(",")), dtype)


def test_under_xla_a_complex_product_stays_one() -> None:
    costs = sc.trace_function(jnp.matmul, MK, KN)
    assert sc.equal(costs.total("xla").macs, parse("m*k*n"))
    assert sc.equal(costs.total("xla").flops, parse("2*m*k*n"))


def test_the_gradient_of_a_complex_layer_has_the_products_of_its_forward_pass() -> None:
    costs = sc.trace_function(jax.grad(energy), KN, MK)
    assert sc.equal(costs.macs, parse("2*4*m*k*n"))  # x w, and the conjugate of x by what comes back
    both = sc.trace_function(jax.grad(energy, (0, 1)), KN, MK)
    assert sc.equal(both.macs, parse("3*4*m*k*n"))


def test_the_gradient_of_a_recurrence_has_its_products_twice_more() -> None:
    costs = sc.trace_function(
        lambda a, x: jax.grad(lambda a, x: recurrence(a, x).sum(), (0, 1))(a, x), "complex64[k]", "complex64[m,k]",
    )  # fmt: skip
    assert costs.macs == 0
    point = {"m": 6, "k": 4}
    assert costs.subs(**point).flops > 3 * 6 * (6 + 2) * 4 - 6 * 4 * 2  # the three products of each step at least
    lowered = jax.jit(jax.grad(lambda a, x: recurrence(a, x).sum(), (0, 1))).lower(
        shape("complex64[k]", point), shape("complex64[m,k]", point)
    )
    assert costs.subs(**point).total("xla").flops == lowered.cost_analysis()["flops"]


def test_a_transform_keeps_its_own_convention() -> None:
    """5 N log2 N for N complex points, the half spectrum of a real transform; six for each of its products."""
    costs = sc.trace_function(filtered, "float32[m,64]", "complex64[33]")
    assert sc.equal(costs.flops, parse("m*33*(2*5*6 + 6)"))
    lowered = jax.jit(filtered).lower(shape("float32[m,64]", N[0]), shape("complex64[33]", {})).cost_analysis()
    assert costs.subs(m=3).total("xla").flops == lowered["flops"]


def test_a_complex_convolution_is_three_real_ones() -> None:
    """As jax writes it for CPUs and GPUs, with sums for the input, the kernel and the result."""

    def convolved(x: jax.Array, k: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(x, k, (1,), "VALID")

    specs = ("complex64[b,c,w]", "complex64[o,c,3]")
    costs = sc.trace_function(convolved, *specs)
    dense = parse("b*o*c*3*(w - 2)")
    assert sc.equal(costs.macs, 3 * dense)
    assert sc.equal(costs.flops, 6 * dense + parse("b*c*w + 2*o*c*3 + 2*b*o*(w - 2)"))
    point = {"b": 2, "c": 3, "o": 4, "w": 9}
    lowered = jax.jit(convolved).lower(*(shape(spec, point) for spec in specs)).cost_analysis()
    assert costs.subs(**point).total("xla").flops == lowered["flops"]


def test_complex_and_real_counts_of_one_function_are_of_one_kind() -> None:
    """Every function that xla expands for complex numbers has a count here, and every count is of a known function."""
    assert set(COMPLEX) <= set(ELEMENT)
    assert set(ELEMENT) <= set(PER_ELEMENT)
    assert all(flops >= 0 and calls >= 0 for flops, calls in ELEMENT.values())


def test_what_has_no_count_for_complex_numbers_says_so() -> None:
    with pytest.raises(sc.RuleError, match=r"cumlogsumexp of complex64 has no rule: take its real and imaginary parts"):
        sc.trace_function(lambda z: lax.cumlogsumexp(z, axis=0), MK)
