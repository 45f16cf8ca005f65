"""What one element costs, as XLA expands each elementwise primitive: ``(flops, transcendentals)``.

A transcendental is one call of exp, log, sqrt, power, tanh, sine, erf and their like; everything else is an
operation. Each figure is the number of HLO operations in the expansion, read off XLA's cost analysis of the
primitive alone.
"""

from __future__ import annotations

Figure = tuple[int, int]

_ONE = (1, 0)
_CALL = (0, 1)

PER_ELEMENT: dict[str, Figure] = {
    # arithmetic and comparisons: one operation, whatever the number type
    **dict.fromkeys(("add", "add_any", "sub", "mul", "div", "rem", "neg", "abs", "sign", "max", "min"), _ONE),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "eq_to", "lt_to", "le_to"), _ONE),
    **dict.fromkeys(("and", "or", "xor", "not", "population_count", "clz", "mulhi"), _ONE),
    **dict.fromkeys(("shift_left", "shift_right_logical", "shift_right_arithmetic"), _ONE),
    **dict.fromkeys(("floor", "ceil", "round", "is_finite", "reduce_precision"), _ONE),
    **dict.fromkeys(("real", "imag", "complex", "conj", "clamp", "square"), _ONE),
    "one_minus_square": (3, 0),  # (1 - x)(1 + x)
    "nextafter": (24, 0),
    # one call
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "cbrt", "pow"), _CALL),
    **dict.fromkeys(("sin", "cos", "tan", "tanh", "atan", "atan2", "erf"), _CALL),
    # calls with arithmetic around them
    "exp2": (1, 1),
    "log2": (1, 1),
    "logistic": (3, 1),  # 1/(1 + exp(-x))
    "asin": (5, 2),
    "acos": (3, 2),
    "sinh": (10, 3),
    "cosh": (3, 2),
    "asinh": (11, 3),
    "acosh": (7, 4),
    "atanh": (6, 2),
    # rational approximations
    "erfc": (62, 1),
    "erf_inv": (37, 2),
    "lgamma": (53, 4),
    "digamma": (73, 3),
    "bessel_i0e": (83, 1),
    "bessel_i1e": (83, 1),
    "zeta": (121, 11),
    "polygamma": (260, 19),
}

COMPLEX: dict[str, Figure] = {
    "conj": (4, 0),
    "max": (9, 0),
    "min": (9, 0),
    "square": (14, 0),
    "exp": (15, 4),
    "exp2": (16, 4),
    "log": (62, 4),
    "log2": (64, 4),
    "log1p": (79, 5),
    "logistic": (18, 4),
    "sqrt": (86, 7),
    "sin": (14, 4),
    "cos": (15, 4),
    "sinh": (95, 12),
    "cosh": (95, 12),
    "asin": (105, 9),
    "acos": (105, 9),
    "atan": (47, 2),
    "asinh": (104, 9),
    "acosh": (105, 9),
    "atanh": (45, 2),
}
"""Complex elements, where they differ."""

FLOAT64: dict[str, Figure] = {
    "erfc": (90, 1),
    "erf_inv": (100, 2),
    "bessel_i0e": (173, 1),
    "bessel_i1e": (173, 1),
}
"""Double precision, where the approximation is longer."""

UNSIGNED: dict[str, Figure] = {"sign": (2, 0)}
"""Unsigned integers, where they differ."""

WIDENED = frozenset(
    ("cosh", "sinh", "erfc", "erf_inv", "lgamma", "digamma", "bessel_i0e", "bessel_i1e", "zeta", "polygamma")
)
"""Computed in float32 for narrower floats: one conversion more per operand and result."""

SINCE_0_12: dict[str, Figure] = {
    "asin": (3, 2),
    "lgamma": (292, 0),
    "digamma": (75, 3),
    "polygamma": (262, 19),
}
"""What XLA reports from jax 0.12 on; the figures of the full convention stay those above."""

SINCE_0_12_COMPLEX: dict[str, Figure] = {"abs": (25, 1)}
SINCE_0_12_FLOAT64: dict[str, Figure] = {"lgamma": (53, 4)}

PART_BY_PART: dict[str, tuple[Figure, Figure, tuple[int, int, int]]] = {
    "conj": ((1, 0), (2, 0), (2, 1, 1)),
    "square": ((11, 0), (4, 0), (2, 2, 2)),
    "exp": ((8, 3), (10, 3), (2, 2, 2)),
    "exp2": ((9, 3), (11, 3), (0, 0, 0)),  # its operand is multiplied first
    "log": ((61, 3), (2, 1), (2, 2, 2)),
    "log1p": ((78, 4), (3, 1), (2, 2, 2)),
    "sqrt": ((78, 7), (83, 7), (2, 2, 2)),
    "asin": ((61, 5), (89, 6), (4, 3, 3)),
    "acos": ((61, 5), (89, 6), (4, 3, 3)),
    "atan": ((19, 1), (37, 1), (2, 2, 2)),
    "asinh": ((89, 6), (61, 5), (2, 2, 2)),
    "acosh": ((85, 6), (65, 5), (4, 2, 4)),
    "atanh": ((35, 1), (18, 1), (2, 2, 2)),
}
"""Functions that XLA writes in real parts and puts together at the end.

What is counted where only the real or the imaginary part of the result is read (the whole is one operation more than both),
and how often a part of the operand is taken, for the whole and for each part: nothing where the operand is put together
in the same program.
"""

READS_PARTS: dict[str, int] = {"sin": 2, "cos": 2, "max": 2, "min": 2}
"""How often others take a part of each operand."""
SINCE_0_12_READS_PARTS: dict[str, int] = {"abs": 2}
