"""Complex numbers in real operations: what one element, one product and one comparison take.

Everything is derived from the formulas below with z = a + bi, from sums of 2 and products of 6 real operations (as
LAPACK counts them, LAWN 41, appendix C). Cases that only guard against overflow or treat infinities apart are not
counted, nor are the parts of a number taken or put together: they are where they were. XLA reports its own expansions
(:data:`symcost.rules.per_element.COMPLEX`), many of which are longer, and one operation for a sum or product.
"""

from __future__ import annotations

from dataclasses import replace

from symcost.errors import RuleError
from symcost.rules.base import Op, Work

PARTS = 2
"""Real numbers in a complex one."""

PRODUCTS = 4
"""Real MACs of one complex MAC, ``(a + bi)(c + di) = (ac - bd) + (ad + bc)i``: 8 FLOPs."""

CONVOLUTIONS = 3
"""Real convolutions that jax makes of a complex one for CPUs and GPUs, by Gauss: with x of the input and y of the
kernel, ``k1 = (x_re + x_im) y_re``, ``k2 = x_re (y_im - y_re)``, ``k3 = x_im (y_re + y_im)``; the result is
``(k1 - k3) + (k1 + k2) i``."""

LESS = 4
"""Order of complex numbers, real parts first: two comparisons of those, one of the others, and a choice."""

PARTS_OF = frozenset(("real", "imag", "complex"))
"""Taking a number apart and putting it together."""

_ADD, _MUL, _DIV = (2, 0), (6, 0), (11, 0)
_EXP, _LOG, _SQRT = (2, 3), (4, 2), (8, 3)


def _sum(*parts: tuple[int, int]) -> tuple[int, int]:
    return sum(flops for flops, _ in parts), sum(calls for _, calls in parts)


_ASINH = _sum(_MUL, (1, 0), _SQRT, _ADD, _LOG)  # log(z + sqrt(z z + 1))
_ATANH = _sum((3, 0), _DIV, _LOG, _ADD)  # log((1 + z)/(1 - z))/2; 1 + a, 1 - a and -b
_TURN = (1, 0)  # times i or -i: one part is negated

ELEMENT: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("add", "add_any", "sub", "neg"), _ADD),
    "mul": _MUL,
    "square": _MUL,
    "div": _DIV,  # (a + bi)(c - di)/(c c + d d): a product, three for the divisor, two divisions
    "conj": (1, 0),
    "abs": (3, 1),  # sqrt(a a + b b)
    "sign": (5, 1),  # z/|z|
    **dict.fromkeys(("eq", "ne"), (3, 0)),  # two comparisons and what joins them
    **dict.fromkeys(("max", "min"), (LESS + PARTS, 0)),  # an order and the choice of both parts
    "clamp": (2 * (LESS + PARTS), 0),
    "exp": _EXP,  # e^a (cos b + i sin b)
    "exp2": _sum(_ADD, _EXP),  # z log 2 first
    "expm1": _sum(_EXP, (1, 0)),
    "log": _LOG,  # log(a a + b b)/2 + i atan2(b, a)
    "log2": _sum(_LOG, _ADD),
    "log1p": _sum((1, 0), _LOG),
    "logistic": _sum(_ADD, _EXP, (1, 0), _DIV),  # 1/(1 + exp(-z))
    "sqrt": _SQRT,  # sqrt((|z| + a)/2) + i sqrt((|z| - a)/2) with the sign of b
    "rsqrt": _sum(_SQRT, _DIV),
    "pow": _sum(_LOG, _MUL, _EXP),  # exp(w log z)
    # with e^x and its inverse: a division, a sum, a difference and two halves are both hyperbolic functions
    **dict.fromkeys(("sin", "cos", "sinh", "cosh"), (5 + 2, 3)),  # sin a cosh b + i cos a sinh b, and its like
    **dict.fromkeys(("tan", "tanh"), (5 + 2 + 1 + 2, 3)),  # (sinh 2a + i sin 2b)/(cosh 2a + cos 2b)
    "asinh": _ASINH,
    "asin": _sum(_TURN, _ASINH, _TURN),  # -i asinh(iz)
    "acos": _sum(_TURN, _ASINH, _TURN, _ADD),  # pi/2 - asin z
    "acosh": _sum((2, 0), _SQRT, _SQRT, _MUL, _ADD, _LOG),  # log(z + sqrt(z + 1) sqrt(z - 1))
    "atanh": _ATANH,
    "atan": _sum(_TURN, _ATANH, _TURN),  # -i atanh(iz)
    "atan2": _sum(_MUL, _MUL, _ADD, _SQRT, _TURN, _ADD, _DIV, _LOG, _TURN),  # -i log((x + iy)/sqrt(x x + y y))
}
"""``(FLOPs, transcendentals)`` of one element."""


def is_complex(dtype: str) -> bool:
    """Whether elements have two parts.

    >>> is_complex("complex64"), is_complex("float32")
    (True, False)
    """
    return dtype.startswith("complex")


def parts(dtype: str) -> int:
    """Real numbers in one element: 2 of a complex number, else 1."""
    return PARTS if is_complex(dtype) else 1


def real_products(*dtypes: str) -> int:
    """Real MACs of one MAC of these number types: 4 where one is complex, for the other is converted first.

    >>> real_products("complex64", "complex64"), real_products("bfloat16", "float32")
    (4, 1)
    """
    return PRODUCTS if any(map(is_complex, dtypes)) else 1


def real_type(dtype: str) -> str:
    """Number type of the parts.

    >>> real_type("complex64"), real_type("float32")
    ('float32', 'float32')
    """
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def element(name: str, dtype: str) -> tuple[int, int]:
    """``(FLOPs, transcendentals)`` of one complex element.

    Raises :class:`RuleError` for a function that has no count for complex numbers.

    >>> element("mul", "complex64"), element("abs", "complex64")
    ((6, 0), (3, 1))
    """
    if name not in ELEMENT:
        raise RuleError(f"{name} of {dtype} has no count in real operations: write it in real and imaginary parts")
    return ELEMENT[name]


def convolved_by_parts(op: Op, work: Work) -> Work:
    """A complex convolution as jax writes it (:data:`CONVOLUTIONS`), from the ``work`` of a real one of its shape.

    Sums: one for each element of the input, two of the kernel, two of the result. XLA counts taking the parts too,
    and putting them together.
    """
    x, y, out = op.ins[0].size, op.ins[1].size, op.out.size
    macs, padding = CONVOLUTIONS * work.macs, CONVOLUTIONS * work.padding_macs
    sums, moves = x + 2 * y + 2 * out, 2 * x + 2 * y + out
    xla = 2 * (macs - padding) + sums + moves
    return replace(work, macs=macs, padding_macs=padding, flops=sums, xla_flops=xla)
