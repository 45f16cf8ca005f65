"""Factorisations of matrices: the closed forms beside a count of the algorithms step by step, and whole programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.lax import linalg

import symcost as sc
from symcost.errors import RuleError


def eliminated(m: int, n: int) -> int:
    """Operations of Gauss's elimination, each counted where it is done."""
    count = 0
    for j in range(min(m, n)):
        count += 1  # the inverse of the pivot
        for _ in range(j + 1, m):
            count += 1  # the row is scaled
            for _ in range(j + 1, n):
                count += 2  # a product is taken from it
    return count


def rooted(n: int, _: int) -> int:
    """Operations of Cholesky's factorisation."""
    count = 0
    for j in range(n):
        for i in range(j, n):
            count += 2 * j + 1  # a scalar product is taken from the entry, and a division or root follows
            assert i >= j
    return count


def substituted(n: int, sides: int) -> int:
    """Operations of a substitution for so many right sides."""
    return sides * sum(2 * i + 1 for i in range(n))


COUNTED: dict[str, tuple[Callable[..., Any], tuple[str, ...], Callable[[int, int], int]]] = {
    "lu": (linalg.lu, ("float32[m,n]",), eliminated),
    "cholesky": (linalg.cholesky_p.bind, ("float32[m,m]",), rooted),
    "triangular solve": (
        lambda a, x: linalg.triangular_solve(a, x, left_side=True), ("float32[m,m]", "float32[m,n]"), substituted),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize(("m", "n"), [(7, 4), (5, 5), (1, 1), (9, 2)])
def test_the_closed_form_is_the_count_of_the_algorithm_step_by_step(name: str, m: int, n: int) -> None:
    function, specs, counted = COUNTED[name]
    at = [spec.replace("m", str(m)).replace("n", str(n)) for spec in specs]
    assert sc.trace_function(function, *at, referee=False).flops == counted(m, n)


@pytest.mark.parametrize(("function", "specs", "leading"), [
    pytest.param(jnp.linalg.solve, ("float32[n,n]", "float32[n,k]"), "2*n**3/3", id="solve"),
    pytest.param(jnp.linalg.inv, ("float32[n,n]",), "8*n**3/3", id="inv"),
    pytest.param(lambda x: jnp.linalg.qr(x)[0], ("float32[n,n]",), "8*n**3/3", id="qr"),
    pytest.param(jnp.linalg.eigh, ("float32[n,n]",), "9*n**3", id="eigh"),
    pytest.param(lambda x: jnp.linalg.svd(x, full_matrices=False), ("float32[n,n]",), "22*n**3", id="svd"),
])  # fmt: skip
def test_a_program_of_numpy_s_linear_algebra_is_traced_and_equals_a_fresh_trace(
    function: Any, specs: tuple[str, ...], leading: str
) -> None:
    costs = sc.trace_function(function, *specs)
    n, k = sc.symbols("n k")
    flops = costs.flops.subs(k, 1) if len(specs) > 1 else costs.flops
    if flops.is_Piecewise:  # at a size of 1 some are other programs
        costs.subs(check=True, n=1)
        flops = flops.args[0].expr
    assert str(flops.expand().coeff(n, 3) * n**3) == leading
    point = {"n": 37, "k": 5} if len(specs) > 1 else {"n": 37}
    costs.subs(check=True, **point)


def test_a_determinant_is_that_of_its_factorisation_where_it_is_not_written_out() -> None:
    costs = sc.trace_function(lambda x: jnp.linalg.slogdet(x)[1], "float32[n,n]")
    assert str(costs.subs(n=30).flops) == str(2 * 30**3 // 3 + 30**2 // 2 + 23 * 30 // 6)
    for n in (2, 3, 37):  # two by two is written out
        costs.subs(check=True, n=n)


def test_gradients_through_a_factorisation_are_counted() -> None:
    costs = sc.trace_function(jax.grad(lambda a: jnp.linalg.cholesky(a).sum()), "float32[b,n,n]")
    costs.subs(check=True, b=2, n=20)


@pytest.mark.parametrize(("function", "why"), [
    (lambda x: jnp.linalg.eig(x), "eig with eigenvectors has no published count: take eigvals or eigh, or add a rule"),
    (lambda x: linalg.qr(x, pivoting=True), "qr with pivoting has no published count: take it without, or add a rule"),
])  # fmt: skip
def test_what_has_no_published_count_is_refused(function: Any, why: str) -> None:
    with pytest.raises(RuleError, match=why):
        sc.trace_function(function, "float32[n,n]")


def test_a_complex_factorisation_has_the_real_operations_of_each_of_its_own() -> None:
    real, paired = (
        sc.trace_function(linalg.lu, f"{kind}[6,6]", referee=False).flops for kind in ("float32", "complex64")
    )
    additions = sum((6 - j) ** 2 for j in range(1, 7))
    assert paired == 6 * (real - additions) + 2 * additions
    with pytest.raises(RuleError, match="eigh of complex64 has no published count: take a real matrix, or add a rule"):
        sc.trace_function(lambda x: linalg.eigh(x, symmetrize_input=False), "complex64[6,6]")


@pytest.mark.parametrize(
    ("function", "calls"),
    [
        (jnp.linalg.eigvalsh, 1),
        (lambda a: jnp.linalg.eigh(a)[1], 1),
        (lambda a: jnp.linalg.qr(a)[0], 2),
        (lambda a: jnp.linalg.qr(a)[1], 1),
        (lambda a: jnp.linalg.svd(a)[0], 1),
        (lambda a: jnp.linalg.svd(a, full_matrices=False)[2], 1),
        (lambda a: jax.scipy.linalg.schur(a)[0], 1),
        (jax.grad(lambda a: jnp.linalg.eigvalsh(a).sum()), 1),
        (jax.grad(lambda a: jnp.linalg.svd(a, compute_uv=False).sum()), 1),
    ],
)
def test_under_xla_nothing_is_counted_of_results_that_nobody_reads(function: Callable[..., Any], calls: int) -> None:
    """XLA's analysis says -1 of each call of the library that is left."""
    costs = sc.trace_function(function, "float32[n,n]", referee=False)
    for n in (4, 9):
        theirs = jax.jit(function).lower(jax.ShapeDtypeStruct((n, n), jnp.float32)).cost_analysis()["flops"]
        assert costs.subs(n=n).total("xla").flops - calls == theirs
