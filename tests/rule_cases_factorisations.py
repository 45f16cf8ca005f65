"""Rows of the table of rules: factorisations of matrices, with the polynomials as the literature prints them.

``potrf``, ``getrf``, ``geqrf``, ``orgqr``, ``trsm``: Anderson et al., Installation Guide for LAPACK (LAPACK Working Note 41),
appendix C. Eigenvalues and singular values: Golub and Van Loan, Matrix Computations, 4th edition, as the rules cite it.
"""

from __future__ import annotations

from jax.lax import linalg
from rule_case import Case, points

SQUARE, TALL, WIDE = "float32[b,n,n]", "float32[b,m,n]", "float32[b,m,n]"
N = points("b n", (2, 6), (3, 5), (1, 1))
M_LARGER = points("b m n", (2, 8, 5), (3, 5, 5), (1, 1, 1))
N_LARGER = points("b m n", (2, 5, 8), (3, 4, 9), (1, 1, 2))
GETRF = "m*n**2 - n**3/3 - n**2/2 + 5*n/6"
GEQRF = "2*m*n**2 - 2*n**3/3 + n**2 + m*n + 14*n/3"
GEQRF_WIDE = "2*n*m**2 - 2*m**3/3 - m**2 + 3*m*n + 14*m/3"
ORGQR = "{k}*(4*m*{q} + 3*{q} - m - 4/3 + {k}*(4*{k}/3 - 2*(m + {q}) - 1))"
THIN, FULL, FULL_WIDE = ORGQR.format(k="n", q="n"), ORGQR.format(k="n", q="m"), ORGQR.format(k="m", q="m")

FACTORISATIONS = [
    Case("cholesky", linalg.cholesky_p.bind, (SQUARE,),
         flops="b*(n**3/3 + n**2/2 + n/6)", points=N),
    Case("lu", linalg.lu, (TALL,), flops=f"b*({GETRF})", points=M_LARGER),
    Case("lu", linalg.lu, (WIDE,), flops="b*(n*m**2 - m*n - m**3/3 + m**2/2 + 5*m/6)", points=N_LARGER,
         variant="wide"),
    Case("qr", lambda x: linalg.qr(x, full_matrices=False), (TALL,), flops=f"b*({GEQRF} + {THIN})", points=M_LARGER),
    Case("qr", linalg.qr, (TALL,), flops=f"b*({GEQRF} + {FULL})", points=M_LARGER, variant="full"),
    Case("qr", linalg.qr, (WIDE,), flops=f"b*({GEQRF_WIDE} + {FULL_WIDE})", points=N_LARGER, variant="wide"),
    Case("householder_product", lambda x: linalg.householder_product(x, x[:, 0, :]), (TALL,), flops=f"b*({THIN})",
         points=M_LARGER),
    Case("triangular_solve", lambda a, x: linalg.triangular_solve(a, x, left_side=True), (SQUARE, "float32[b,n,m]"),
         flops="b*m*n**2", points=M_LARGER),
    Case("triangular_solve", lambda a, x: linalg.triangular_solve(a, x, unit_diagonal=True), (SQUARE, TALL),
         flops="b*m*n*(n - 1)", points=M_LARGER, variant="from the right"),
    Case("eigh", lambda x: linalg.eigh(x, symmetrize_input=False), (SQUARE,), flops="9*b*n**3", points=N),
    Case("eig", lambda x: linalg.eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False), (SQUARE,),
         flops="10*b*n**3", points=N),
    Case("schur", linalg.schur, (SQUARE,), flops="25*b*n**3", points=N),
    Case("schur", lambda x: linalg.schur(x, compute_schur_vectors=False), (SQUARE,), flops="10*b*n**3", points=N,
         variant="alone"),
    Case("svd", lambda x: linalg.svd(x, full_matrices=False), (TALL,), flops="b*(14*m*n**2 + 8*n**3)", points=M_LARGER),
    Case("svd", linalg.svd, (WIDE,), flops="b*(4*n**2*m + 8*n*m**2 + 9*m**3)", points=N_LARGER, variant="wide"),
    Case("svd", lambda x: linalg.svd(x, compute_uv=False), (TALL,), flops="b*floor(4*m*n**2 - 4*n**3/3)",
         points=M_LARGER, variant="values"),
    Case("hessenberg", linalg.hessenberg, (SQUARE,), flops="b*floor(10*n**3/3)", points=N[:2]),
    Case("tridiagonal", linalg.tridiagonal, (SQUARE,), flops="b*floor(4*n**3/3)", points=N[:2]),
]  # fmt: skip
