"""Factorisations of matrices and what is solved with them, by the operation counts of the literature.

A library does them on every device (LAPACK on processors), and no count is seen in a program. Direct methods are counted
as by Anderson et al., *Installation Guide for LAPACK* (LAPACK Working Note 41), appendix C, multiplications and additions
of the unblocked algorithms. Iterative ones are counted by the leading terms of Golub and Van Loan, *Matrix Computations*,
4th edition, a convention as that of the Fourier transform is: how many sweeps a matrix needs, its numbers say. XLA counts
what lowering puts around the library's call: a test of its success, and the triangle that is kept.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod

from symcost.errors import RuleError
from symcost.formulas.form import as_form
from symcost.formulas.functions import positive_part
from symcost.rules.base import Array, Op, Size, Work, is_one, rule, static
from symcost.rules.complex_numbers import is_complex

MULTIPLICATION, ADDITION = 6, 2
"""Real operations of a complex one."""
APART = frozenset({"eigh", "qr", "svd", "schur"})
"""What gives several results, each made of the library's by operations of its own: those that nobody reads are gone."""


def _work(op: Op, multiplications: Size, additions: Size, xla: Size) -> Work:
    """One operation each of real numbers, six and two of complex ones."""
    if is_complex(op.ins[0].dtype):
        multiplications, additions = MULTIPLICATION * multiplications, ADDITION * additions
    return Work(flops=multiplications + additions, xla_flops=xla, materialises=True)


def _iterative(op: Op, flops: Size, xla: Size) -> Work:
    if is_complex(op.ins[0].dtype):
        raise RuleError(f"{op.name} of {op.ins[0].dtype} has no published count: take a real matrix, or add a rule")
    return Work(flops=flops, xla_flops=xla, materialises=True)


def _read(op: Op) -> Collection[int]:
    """Which of the results are read: all, unless the program as XLA receives it says which."""
    said = op.facts.static[-1] if op.facts.static else None
    return said if isinstance(said, frozenset) else range(len(op.outs))


def _tested(op: Op) -> Size:
    """A test of success for each matrix, and a choice for each element of the results that are read."""
    return _matrices(op.ins[0])[0] + sum(op.outs[i].size for i in _read(op))


def _matrices(array: Array) -> tuple[Size, Size, Size]:
    """How many matrices an array holds, and their rows and columns."""
    return prod(array.shape[:-2]), array.shape[-2], array.shape[-1]


def _steps(k: Size, m: Size, n: Size) -> tuple[Size, Size, Size]:
    """Over the steps ``j = 1 .. k``: the sums of ``(m - j)(n - j)``, of ``m - j`` and of ``n - j``."""
    first, squares = _whole(k * (k + 1), 2), _whole(k * (k + 1) * (2 * k + 1), 6)
    return k * m * n - (m + n) * first + squares, k * m - first, k * n - first


def _least(m: Size, n: Size) -> Size:
    """The smaller of two sizes."""
    return min(m, n) if isinstance(m, int) and isinstance(n, int) else m - positive_part(as_form(m - n))


def _whole(size: Size, by: int) -> Size:
    """A quotient that is known to be whole: without a floor in a closed form."""
    return size // by if isinstance(size, int) else size / by


@rule("cholesky")
def cholesky(op: Op) -> Work:
    """``n^3/3 + n^2/2 + n/6`` operations (``potrf``): ``n^3/6 + n^2/2 + n/3`` multiplications, ``n^3/6 - n/6`` additions."""
    batch, n, _ = _matrices(op.ins[0])
    additions = _whole(n * (n + 1) * (n - 1), 6)
    multiplications = additions + _whole(n * (n + 1), 2)
    return _work(op, batch * multiplications, batch * additions, xla=batch * (1 + n * n))


@rule("lu")
def lu(op: Op) -> Work:
    """With row exchanges (``getrf``), ``n^2(m - n/3)`` at first order where ``m >= n``.

    Each of ``k = min(m, n)`` steps ``j`` takes an inverse, scales ``m - j`` rows by it, and takes their product with
    ``n - j`` columns from the rest: as many multiplications and additions.
    """
    batch, m, n = _matrices(op.ins[0])
    k = op.outs[1].shape[-1]
    products, rows, _ = _steps(k, m, n)
    xla = batch * (k + 7 + m * n) + 12
    return _work(op, batch * (products + rows + k), batch * products, xla)


def _reflections(batch: Size, m: Size, n: Size, k: Size) -> tuple[Size, Size]:
    """Multiplications and additions of ``geqrf``: ``k = min(m, n)`` reflections, each applied to the columns after it."""
    products, rows, columns = _steps(k, m, n)
    return batch * (2 * products + 2 * rows + 3 * columns + 6 * k), batch * (2 * products + rows + 2 * columns + 2 * k)


def _product_of_reflections(batch: Size, m: Size, n: Size, k: Size) -> tuple[Size, Size]:
    """Multiplications and additions of ``orgqr``: the first ``n`` columns of a product of ``k`` reflections of ``m`` rows."""
    multiplications = _whole(k * (6 * m * n + 6 * n - 5 + k * (2 * k - 3 * (m + n) - 3)), 3)
    additions = _whole(k * (6 * m * n + 3 * n - 3 * m + 1 + k * (2 * k - 3 * (m + n))), 3)
    return batch * multiplications, batch * additions


@rule("qr", extract=static("full_matrices", "pivoting"))
def qr(op: Op) -> Work:
    """Householder's reflections (``geqrf``), ``2n^2(m - n/3)`` at first order where ``m >= n``, and ``Q`` of them (``orgqr``)."""
    full, pivoting = op.facts.static[:2]
    if pivoting:
        raise RuleError("qr with pivoting has no published count: take it without, or add a rule")
    batch, m, n = _matrices(op.ins[0])
    rows, columns = op.outs[1].shape[-2], op.outs[0].shape[-1]
    k = _least(m, n) if full else columns
    factor, made = _reflections(batch, m, n, k), _product_of_reflections(batch, m, columns, k)
    triangle = 2 * rows * n + batch * rows * n - is_one(rows) * (n + is_one(n) * (1 + batch))
    xla = triangle if 1 in _read(op) else 0
    return _work(op, factor[0] + made[0], factor[1] + made[1], xla)


@rule("householder_product")
def householder_product(op: Op) -> Work:
    """``4mnk - 2(m + n)k^2 + 4k^3/3`` at first order (``orgqr``): ``n`` columns of ``k`` reflections of ``m`` rows."""
    batch, m, n = _matrices(op.ins[0])
    return _work(op, *_product_of_reflections(batch, m, n, op.ins[1].shape[-1]), xla=0)


@rule("triangular_solve", extract=static("left_side", "unit_diagonal"))
def triangular_solve(op: Op) -> Work:
    """``n^2`` operations for each of the right sides (``trsm``), a division each row unless the diagonal is of ones."""
    left, ones = op.facts.static
    batch, rows, columns = _matrices(op.ins[1])
    n, sides = op.ins[0].shape[-1], columns if left else rows
    additions = batch * sides * _whole(n * (n - 1), 2)
    return _work(op, additions + (0 if ones else batch * sides * n), additions, xla=0)


@rule("eigh")
def eigh(op: Op) -> Work:
    """``9n^3`` with eigenvectors (Golub and Van Loan, algorithm 8.3.3)."""
    batch, n, _ = _matrices(op.ins[0])
    return _iterative(op, 9 * batch * n**3, _tested(op))


@rule("svd", extract=static("compute_uv", "full_matrices"))
def svd(op: Op) -> Work:
    """Of ``a >= k`` rows and columns, by Golub and Reinsch (Golub and Van Loan, figure 8.6.1).

    ``4ak^2 - 4k^3/3`` for the values alone, ``14ak^2 + 8k^3`` with ``k`` vectors on either side, and
    ``4a^2 k + 8ak^2 + 9k^3`` with all of them.
    """
    vectors, full = op.facts.static[:2]
    batch, m, n = _matrices(op.ins[0])
    k = op.outs[0].shape[-1]
    a = m + n - k
    if not vectors:
        return _iterative(op, (12 * a * k * k - 4 * k**3) // 3 * batch, _tested(op))
    each = 4 * a * a * k + 8 * a * k * k + 9 * k**3 if full else 14 * a * k * k + 8 * k**3
    return _iterative(op, batch * each, _tested(op))


@rule("eig", extract=static("compute_left_eigenvectors", "compute_right_eigenvectors"))
def eig(op: Op) -> Work:
    """``10n^3`` for the eigenvalues (Golub and Van Loan, algorithm 7.5.2)."""
    if any(op.facts.static):
        raise RuleError("eig with eigenvectors has no published count: take eigvals or eigh, or add a rule")
    batch, n, _ = _matrices(op.ins[0])
    return _iterative(op, 10 * batch * n**3, batch * (1 + 2 * n))


@rule("schur", extract=static("compute_schur_vectors"))
def schur(op: Op) -> Work:
    """``25n^3`` with its vectors, ``10n^3`` without (Golub and Van Loan, algorithm 7.5.2)."""
    vectors = op.facts.static[0]
    batch, n, _ = _matrices(op.ins[0])
    return _iterative(op, (25 if vectors else 10) * batch * n**3, _tested(op))


@rule("hessenberg", "tridiagonal")
def condensed(op: Op) -> Work:
    """``10n^3/3``, and ``4n^3/3`` of a symmetric matrix (Golub and Van Loan, algorithms 7.4.2 and 8.3.1)."""
    batch, n, _ = _matrices(op.ins[0])
    if op.name == "hessenberg":
        return _iterative(op, 10 * n**3 // 3 * batch, batch * (1 + n * n + n - 1))
    return _iterative(op, 4 * n**3 // 3 * batch, batch * (1 + n * n + n + 2 * (n - 1)))
