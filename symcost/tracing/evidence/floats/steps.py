"""Decisions of floats as bounds of whole numbers: a logarithm or a root of one size grows with it, so that it turns once.

``int(np.ceil(3*np.log(n)/22.18)) == 1`` is ``n <= 1625``. The value at which a decision turns is found by Python's own
arithmetic, in which the program decides; sizes are below 2**53, where floats still tell neighbours apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from symcost.formulas.form import Form, as_form
from symcost.formulas.prove.halving import last_good
from symcost.tracing.evidence.floats.formula import Formula
from symcost.tracing.evidence.guard import OPERATORS, Guard, Rounding
from symcost.tracing.evidence.guard import guard as simple

GROWING = frozenset((
    "number", "int", "round", "math.floor", "math.ceil", "math.trunc", "np.floor", "np.ceil", "np.trunc", "np.rint",
    "np.round", *(f"{module}.{name}" for module in ("math", "np")
                  for name in ("sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh")),
))  # fmt: skip
"""Functions of one number that never fall where they have a value."""
LARGEST = 2**53
BESIDE = 64
"""So many values on each side of a turn are asked one by one: floats may err there."""


def bounds(guard: Guard, base: Mapping[str, int]) -> tuple[Guard, ...]:
    """A decision of floats, or of a rounding of them, as bounds of one size; nothing where none say the same.

    >>> n = Form.symbol("n")
    >>> print(*bounds(Guard(Formula("math.log", (n,)), ">", Formula("number", (5.5,))), {"n": 999}))
    n >= 245
    """
    left, right = guard.left, guard.right
    if _number(right) is None:
        return ()
    size = _grows(left)
    if size is None or not size.symbols <= set(base):
        return ()
    here = size.value(base)
    if not isinstance(here, int) or not 0 < here < LARGEST or not guard.holds(base):
        return ()

    def holds(value: int) -> bool:
        return _at(left, size, value, lambda found: OPERATORS[guard.op](found, _number(right)))

    low, high = _turn(holds, here, -1), _turn(holds, here, 1)
    if low is None or high is None:
        return ()
    ends = (("<=", high), (">=", low))
    found = [simple(size, op, as_form(end), guard.place) for op, end in ends if 1 < end < LARGEST]
    return tuple(each for each in found if each is not None)


def spans(made: Rounding, base: Mapping[str, int]) -> tuple[Guard, ...]:
    """The sizes for which a rounding is the number that it is at the base, where those are an octave or more."""
    found = bounds(Guard(made, "==", as_form(made.value(base)), made.place), base)
    numbers = [each.number for each in found if each.number is not None]
    narrow = len(numbers) == 2 and max(numbers) < 2 * min(numbers)
    return () if narrow else found


def _number(side: Any) -> Any:
    """The plain number that a side is, or nothing."""
    if isinstance(side, Form):
        return side.number
    if isinstance(side, Formula) and side.operation == "number" and isinstance(side.args[0], int | float):
        return side.args[0]
    return side if isinstance(side, int | float) else None


def _grows(side: Any) -> Form | None:
    """The one size of which a side is made, and with which it grows; nothing of others."""
    if isinstance(side, Form):
        return side if side.number is None and all(c > 0 for m, c in side.terms.items() if m) else None
    if isinstance(side, Rounding):
        return _grows(side.formula)
    if not isinstance(side, Formula):
        return None
    if side.operation in GROWING and len(side.args) == 1:
        return _grows(side.args[0])
    numbers = [_number(arg) for arg in side.args]
    if len(numbers) != 2:
        return None
    left, right = numbers
    match side.operation:
        case "+":
            return _grows(side.args[0]) if right is not None else _grows(side.args[1]) if left is not None else None
        case "-":
            return _grows(side.args[0]) if right is not None else None
        case "*" if right is not None and right > 0:
            return _grows(side.args[0])
        case "*" if left is not None and left > 0:
            return _grows(side.args[1])
        case "/" | "//" | "**" if right is not None and right > 0:
            return _grows(side.args[0])
    return None


def _at(side: Any, size: Form, value: int, ask: Callable[[Any], bool]) -> bool:
    """What is asked of a side where its one size has a value; no where it has none there."""
    try:
        return bool(ask(_value(side, size, value)))
    except (ArithmeticError, ValueError):
        return False


def _value(side: Any, size: Form, value: int) -> Any:
    if isinstance(side, Form):
        return value if side == size else side.number
    if isinstance(side, Rounding):
        return side.compute(_value(side.formula, size, value))
    if isinstance(side, Formula):
        return Formula(side.operation, tuple(_value(arg, size, value) for arg in side.args)).value({})
    return side


def _turn(holds: Callable[[int], bool], here: int, way: int) -> int | None:
    """The last value at which a decision holds, from a point upwards or downwards; nothing where it turns more than once."""
    good, bad, step = here, here, 1
    while 0 < bad < LARGEST and holds(bad):
        good, bad, step = bad, bad + way * step, 2 * step
    if bad <= 0 and holds(1):
        return 1
    if bad >= LARGEST:
        return LARGEST
    bad = max(bad, 0)
    good = last_good(good, bad, holds)
    bad = good + way
    beside = range(1, BESIDE)
    inside = itertools.takewhile(lambda value: value > 0, (good - way * k for k in beside))
    outside = itertools.takewhile(lambda value: value > 0, (bad + way * k for k in beside))
    return good if not any(map(holds, outside)) and all(holds(v) for v in inside if (v - here) * way >= 0) else None
