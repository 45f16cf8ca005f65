"""Floats that carry the formula they were made of: ``0.7*d``, ``d**-0.5``, ``sqrt(d)``, in Python's own arithmetic."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symcost.tracing.evidence.normal import side_text

INFIX: dict[str, tuple[int, Callable[..., Any]]] = {
    "+": (1, operator.add), "-": (1, operator.sub), "*": (2, operator.mul), "/": (2, operator.truediv),
    "//": (2, operator.floordiv), "%": (2, operator.mod), "**": (4, operator.pow), "&": (0, operator.and_),
    "|": (0, operator.or_), "^": (0, operator.xor),
}  # fmt: skip
OF_FLOATS = ("sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "sin", "cos", "tan", "tanh",
             "sinh", "cosh", "atan", "fabs", "hypot", "fmod", "copysign", "ldexp")  # fmt: skip
OF_INTEGERS = ("gcd", "lcm", "isqrt", "comb", "perm", "factorial")
OF_ARRAYS = ("sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "tanh", "sinh",
             "cosh", "floor", "ceil", "trunc", "rint", "fabs", "reciprocal", "square", "power", "float_power", "fmod")  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"math.{name}": getattr(math, name) for name in (*OF_FLOATS, *OF_INTEGERS)},
    **{f"np.{name}": getattr(np, name) for name in OF_ARRAYS},
    "abs": abs, "int": int, "round": round, "math.floor": math.floor, "math.ceil": math.ceil, "math.trunc": math.trunc,
    "np.round": np.round, "is_integer": float.is_integer, "int.bit_length": int.bit_length,
    "int.bit_count": int.bit_count, "invert": operator.invert,
    "number": lambda value: value,
}  # fmt: skip
"""What formulas are made of, as it was before anything was replaced."""


EXACT = ("math.floor", "math.ceil", "int", "math.trunc")
"""Roundings of a quotient of positive sizes below 2**53 that integers do as well: it is correctly rounded, and a whole
number only where the quotient is."""


FEW = 1 << 10
"""Numerator and denominator of a constant that is no rounded decimal: ``0.5``, ``1.25``, ``2.75``."""


@dataclass(frozen=True)
class Formula:
    """An operation on forms, formulas and numbers, computed as the program computes it.

    >>> from symcost.formulas.form import Form
    >>> width = Formula("*", (0.7, Form.symbol("d")))
    >>> print(width, width.value({"d": 90}))
    0.7*d 62.99999999999999
    """

    operation: str
    args: tuple[Any, ...]

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        return frozenset(name for arg in self.args for name in getattr(arg, "symbols", ()))

    def value(self, at: Mapping[str, int]) -> Any:
        """Its value at integers."""
        return self.of(tuple(arg.value(at) if hasattr(arg, "value") else arg for arg in self.args))

    def of(self, args: tuple[Any, ...]) -> Any:
        """Its value where those of its parts are known."""
        return (INFIX[self.operation][1] if self.operation in INFIX else FUNCTIONS[self.operation])(*args)

    def __str__(self) -> str:
        if self.operation == "number":
            return str(self.args[0])
        if self.operation not in INFIX:
            return f"{self.operation}({', '.join(map(side_text, self.args))})"
        level = INFIX[self.operation][0]
        left, right = (_operand(arg, level, strict) for arg, strict in zip(self.args, (False, True), strict=True))
        return f"{left} {self.operation} {right}" if level < 2 else f"{left}{self.operation}{right}"


def _operand(arg: Any, level: int, strict: bool) -> str:
    """One side of an operation, in parentheses where it binds less."""
    text = side_text(arg)
    if isinstance(arg, Formula):
        own = INFIX[arg.operation][0] if arg.operation in INFIX else 9
        return f"({text})" if own < level + strict or (level == 4 and own < 9) else text
    return text if text.replace(".", "").replace("_", "").isalnum() else f"({text})"
