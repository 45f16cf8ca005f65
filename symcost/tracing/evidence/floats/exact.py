"""What a rounding of floats is in exact numbers: the form that it means, and has, wherever floats do not err.

``int(0.7*d)`` means ``floor(7*d/10)``: a number written with a point is the decimal that it is written as. Where Python's
own arithmetic gives another integer the form does not hold, which a guard says.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from symcost.errors import ExpressionError
from symcost.formulas.form import Form, as_form, floor
from symcost.formulas.functions import logarithm, odd_halves, power_of_two, square_root
from symcost.tracing.evidence.floats.formula import EXACT
from symcost.tracing.evidence.guard import Rounding
from symcost.tracing.evidence.recorder import positive

DOWN = ("int", "math.floor", "math.trunc", "np.floor", "np.trunc")
UP = ("math.ceil", "np.ceil")
NEAREST = ("round", "np.round", "np.rint")
LOGARITHMS = ("math.log2", "np.log2")
ROOTS = ("math.sqrt", "np.sqrt", "math.isqrt")
COMMON = ("math.gcd", "math.lcm")
DIGITS = ("int.bit_length", "int.bit_count")
WHOLE = ("&", "|", "^", "//", "math.isqrt", *DIGITS, *COMMON)
"""Operations on integers that Python does on integers."""
DIVISORS = 16
"""A number with more divisors has no short sum over them."""


def meant(made: Rounding) -> Form | None:
    """The integer form of a rounding, or nothing where none is known.

    >>> from symcost.tracing.evidence.floats.formula import Formula
    >>> from symcost.formulas.form import Form
    >>> print(meant(Rounding("int", Formula("*", (0.7, Form.symbol("d"))), int)))
    floor(7*d/10)
    """
    try:
        return _rounded(made.function, made.formula)
    except (ExpressionError, ZeroDivisionError):
        return None


def sure(made: Rounding) -> bool:
    """Whether Python's floats cannot err in it: integers alone, or a quotient of positive sizes, rounded down or up.

    >>> from symcost.tracing.evidence.floats.formula import Formula
    >>> d = Form.symbol("d")
    >>> formulas = Formula("/", (d, 2)), Formula("math.gcd", (d, 6)), Formula("*", (0.7, d))
    >>> [sure(Rounding("int", formula, int)) for formula in formulas]
    [True, True, False]
    """
    operation, args = _parts(made.formula)
    if (operation in WHOLE and made.function == "int") or made.function in DIGITS:
        return all(isinstance(arg, Form | int) for arg in args)
    return (
        operation == "/"
        and made.function in EXACT
        and all(isinstance(arg, Form | int) and positive(arg) for arg in args)
    )


def exact(side: Any) -> Form | None:
    """A side of a comparison in exact numbers, or nothing where it is no rational one."""
    try:
        return _exact(side)
    except (ExpressionError, ZeroDivisionError):
        return None


def _rounded(function: str, inside: Any) -> Form | None:
    """A rounding of what stands inside it."""
    operation, args = _parts(inside)
    if operation in (*DOWN, *UP, *NEAREST) and len(args) == 1:
        return _rounded(operation, args[0])  # it is whole already
    if function == "int.bit_length":
        size = _exact(inside)
        if size is None or not size.is_integral:
            return None
        return logarithm("flog2", size) + 1 if positive(size) else logarithm("clog2", size + 1)
    if function == "int.bit_count":
        size = _exact(inside)
        return None if size is None else odd_halves(size)
    if operation in LOGARITHMS and function in (*DOWN, *UP):
        argument = _exact(args[0])
        return None if argument is None else logarithm("clog2" if function in UP else "flog2", argument)
    if function in (*DOWN, *UP) and (under := _under_root(inside)) is not None and _root(under[0]) is None:
        return _rounded_root(*under, up=function in UP)
    form = _exact(inside)
    if form is None:
        return None
    if function in DOWN:
        return floor(form)
    if function in UP:
        return -floor(-form)
    return _half_even(form) if function in NEAREST else None


def _bits(operation: str, left: Form, right: Form) -> Form | None:
    """The binary digits of a size that a number picks: each is a remainder by 2; or all but its last one."""
    if operation == "&" and (last := _last_one(left, right)) is not None:
        return last
    size, number = (left, right.number) if right.number is not None else (right, left.number)
    if not isinstance(number, int) or not size.is_integral:
        return None
    if number < 0:  # all digits but some
        rest = _bits("&", size, Form.constant(~number)) if operation == "&" else None
        return None if rest is None else size - rest
    picked = [k for k in range(number.bit_length()) if number >> k & 1]
    both = Form.total(floor(size / 2**k) * 2**k - floor(size / 2 ** (k + 1)) * 2 ** (k + 1) for k in picked)
    return {"&": both, "|": size + number - both, "^": size + number - 2 * both}[operation]


def _last_one(left: Form, right: Form) -> Form | None:
    """``d & -d``, the power of two that is the last one of its digits, and ``d & (d - 1)``, the size without it."""
    size = left if (left - right).number == 1 else right if (right - left).number == 1 else None
    if left + right == 0:
        size = max(left, right, key=lambda form: max(form.terms.values(), default=0))
    if size is None or not positive(size):
        return None
    last = 2 * power_of_two(odd_halves(size - 1) - odd_halves(size))
    return last if left + right == 0 else size - last


def _root(form: Form) -> Form | None:
    """The root of a square: ``k`` of ``k*k``."""
    if len(form.terms) != 1:
        return None
    ((coefficient, factors),) = form.atoms()
    above, below = (math.isqrt(part) for part in Fraction(coefficient).as_integer_ratio())
    if Fraction(above, below) ** 2 != coefficient or any(e % 2 or atom.kind != "symbol" for atom, e in factors):
        return None
    root = Form.constant(Fraction(above, below))
    for atom, exponent in factors:
        root = root * Form.symbol(atom.name) ** (exponent // 2)
    return root


def _under_root(side: Any) -> tuple[Form, Fraction, Fraction] | None:
    """``x``, ``c`` and ``a`` of ``c*sqrt(x) + a``, however that is written; nothing of anything else."""
    operation, args = _parts(side)
    if operation in ROOTS or (operation == "**" and args[1] == 0.5):
        square = _exact(args[0])
        return None if square is None else (square, Fraction(1), Fraction(0))
    if operation not in ("+", "-", "*", "/"):
        return None
    turned = operation in "+*" and _under_root(args[1]) is not None
    inside, beside = _under_root(args[turned]), _exact(args[not turned])
    number = None if beside is None else beside.number
    if inside is None or number is None or (operation in "*/" and number <= 0):
        return None
    square, times, more = inside
    match operation:
        case "+" | "-":
            return square, times, more + (number if operation == "+" else -number)
        case "*":
            return square, times * number, more * number
    return square, times / number, more / number


def _rounded_root(square: Form, times: Fraction, more: Fraction, up: bool) -> Form | None:
    """``times*sqrt(square) + more`` rounded down or up: the root is rounded first, beside whole parts of what divides it."""
    shift = more * times.denominator
    if shift.denominator != 1:
        return None
    whole = square * times.numerator**2
    root = square_root(-floor(-whole) - 1) + 1 if up else square_root(whole)
    parts = (root + shift.numerator) * Fraction(1, times.denominator)
    return -floor(-parts) if up else floor(parts)


def _common(operation: str, args: list[Form]) -> Form | None:
    """The largest common divisor of a size and a number, or their least common multiple: a sum over the number's divisors.

    Of each divisor that divides the size too, a share is added: ``gcd(d, 6) = 1 + [2 | d] + 2*[3 | d] + 2*[6 | d]``.
    """
    numbers = [int(arg.number) for arg in args if arg.number is not None]
    sizes = [arg for arg in args if arg.number is None]
    if len(sizes) != 1 or not sizes[0].is_integral or 0 in numbers:
        return None
    size, gcd = sizes[0], operation == "math.gcd"
    number = (math.gcd if gcd else math.lcm)(*numbers)
    divisors = [k for k in range(1, number + 1) if number % k == 0] if number <= 1 << 16 else []
    if not 0 < len(divisors) <= DIVISORS:
        return None
    shares: dict[int, int] = {}
    for k in divisors:  # what the divisors of a divisor have not added yet
        shares[k] = (k if gcd else number // k) - sum(share for other, share in shares.items() if k % other == 0)
    found = Form.total((1 + floor(size / k) + floor(-size / k)) * share for k, share in shares.items() if share)
    return found if gcd else size * found


def _parts(side: Any) -> tuple[str, tuple[Any, ...]]:
    """The operation of a formula and what it is of; nothing of anything else."""
    return getattr(side, "operation", ""), getattr(side, "args", ())


def _power(base: int, exponent: Form) -> Form | None:
    """A power of 2, 4, 8, ..."""
    doublings = base.bit_length() - 1
    return power_of_two(doublings * exponent) if doublings > 0 and base == 1 << doublings else None


def _half_even(form: Form) -> Form:
    """The nearest integer, the even one of two."""
    quarter = (2 * form - 1) * Fraction(1, 4)
    return floor(form + Fraction(1, 2)) - floor(-quarter) - floor(quarter) - 1


def _exact(side: Any) -> Form | None:
    """A formula in exact numbers, or nothing where it is no rational one."""
    if isinstance(side, Form | int | Fraction):
        return as_form(side)
    if isinstance(side, float):
        return Form.constant(Fraction(repr(side))) if side == side and abs(side) != float("inf") else None
    operation, args = _parts(side)
    if operation == "number":
        return _exact(args[0])
    if operation in (*DOWN, *UP, *NEAREST) and len(args) == 1:
        return _rounded(operation, args[0])
    parts = [_exact(arg) for arg in args]
    if operation in ROOTS and parts[0] is not None:
        root = _root(parts[0])
        return square_root(parts[0]) if root is None and operation == "math.isqrt" else root
    if operation in COMMON:
        known = [part for part in parts if part is not None]
        return _common(operation, known) if len(known) == len(parts) else None
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return None
    left, right = parts[0], parts[1]
    if operation in NEAREST and right.number is not None:  # to so many digits
        return _half_even(left * Fraction(10) ** int(right.number)) / Fraction(10) ** int(right.number)
    match operation:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return left // right
        case "%" | "math.fmod" if positive(right):
            return left - right * (left // right)
        case "**" if right.number in (1, 2, 3):
            return left ** int(right.number)
        case "**" if right.number == Fraction(1, 2):
            return _root(left)
        case "**" if left.number is not None and right.is_integral:
            return _power(int(left.number), right) if left.is_integral else None
        case "&" | "|" | "^":
            return _bits(operation, left, right)
    return None
