"""What a program decided by its sizes: conditions in the model's symbols that held at the base point, roundings, pins."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any, Literal, Protocol

from symcost.errors import ExpressionError
from symcost.formulas.form import Form, FormLike, as_form
from symcost.formulas.functions import changed
from symcost.tracing.evidence.normal import TURNED, side_text, simplest

By = Literal["dimension", "frame", "pin", "rounding"]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Place:
    """A line of source: the user's, or a library's where no line of the user's decides."""

    file: str = ""
    line: int = 0
    text: str = ""

    @property
    def short(self) -> str:
        """The file's name and the line, or who decides where no file does: never where a file lies on a machine."""
        if self.file and not self.line:
            return self.file
        return f"{PurePath(self.file).name}:{self.line}" if self.file else "an unknown line"

    def __str__(self) -> str:
        return f"{self.short}: {self.text}" if self.text else self.short

    @property
    def behind(self) -> str:
        """The line and its text in brackets behind a sentence; nothing where no line is known."""
        return f" ({self})" if self.file or self.text else ""

    @property
    def shortly_behind(self) -> str:
        """The line in brackets behind a sentence; nothing where none is known."""
        return f" ({self.short})" if self.file else ""


class Operand(Protocol):
    """What is compared: a :class:`Form`, or a formula in Python's own floats."""

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        ...

    def value(self, at: Mapping[str, int]) -> Any:
        """Its value at integers."""
        ...


@dataclass(frozen=True)
class Guard:
    """``left op right``: true at the base point; where it is not, the program may be another one.

    Equal conditions are equal guards, wherever and however they were seen. :func:`guard` makes the simplest one.

    >>> d, H = Form.symbol("d"), Form.symbol("H")
    >>> print(Guard(d - H * (d // H), "==", Form.constant(0)))
    d % H == 0
    """

    left: Operand
    op: str
    right: Operand
    place: Place = field(default=Place(), compare=False)
    by: By = field(default="dimension", compare=False)
    by_model: bool = field(default=False, compare=False)
    """Whether a line of the model's own asks, and no library below it."""
    of_sizes: bool = field(default=False, compare=False)
    """Whether two sizes were put in order, and neither was a number: costs of two ways to compute the same."""

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        return self.left.symbols | self.right.symbols

    @property
    def number(self) -> int | None:
        """The whole number on its right, or nothing where there is a size or a fraction."""
        number = self.right.number if isinstance(self.right, Form) else None
        return number if isinstance(number, int) else None

    @property
    def readable(self) -> bool:
        """Whether its text is a condition that the safe parser reads: floats have no place there."""
        return isinstance(self.left, Form) and isinstance(self.right, Form)

    @property
    def denied(self) -> Guard:
        """The condition that holds wherever this one does not."""
        return replace(self, op=OPPOSITE[self.op])

    @property
    def relaxed(self) -> Guard | None:
        """A bound of integers that allows one more, ``T >= N`` for ``T >= N + 1``; nothing of other conditions."""
        left, right = self.left, self.right
        if not (isinstance(left, Form) and isinstance(right, Form)) or self.op not in (">=", "<="):
            return None
        return guard(left, self.op, right + (1 if self.op == "<=" else -1), self.place, self.by)

    def holds(self, at: Mapping[str, int]) -> bool:
        """Whether it is true at a point: exactly in integers, in Python's own arithmetic of floats."""
        try:
            return bool(OPERATORS[self.op](self.left.value(at), self.right.value(at)))
        except (ArithmeticError, ValueError):  # a formula without a value there: a root of what is negative
            return False

    def __str__(self) -> str:
        return f"{side_text(self.left)} {self.op} {side_text(self.right)}"


@dataclass(frozen=True)
class Rounding:
    """A whole number that a program makes of a float, ``int(0.7*d)``, with the formula that it was made of.

    ``symbol`` names it where forms and guards go on with it; it is empty where the program went on with a plain number.

    >>> from symcost.tracing.evidence.floats.formula import Formula
    >>> kept = Rounding("int", Formula("*", (0.7, Form.symbol("d"))), int)
    >>> print(kept, kept.value({"d": 90}))
    int(0.7*d) 62
    """

    function: str
    formula: Operand
    compute: Callable[[Any], int] = field(compare=False, repr=False)
    symbol: str = ""
    place: Place = field(default=Place(), compare=False)

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        return self.formula.symbols

    def value(self, at: Mapping[str, int]) -> int:
        """The whole number at a point, by Python's own arithmetic."""
        return self.compute(self.formula.value(at))

    def __str__(self) -> str:
        return f"{self.function}({self.formula})"


@dataclass(frozen=True)
class Pin:
    """A size that a program used as a plain number: what it did with it was not seen."""

    formula: Operand
    place: Place = field(default=Place(), compare=False)
    by_jax: bool = field(default=False, compare=False)
    """Whether jax used it so, to which no single size is another one."""
    key: bool = field(default=False, compare=False)
    """Whether something was looked up by it: a line of the model's that was read may tell what that decides."""
    of_array: bool = field(default=False, compare=False)
    """Whether it is one of the numbers of an array, which may be another one for each layer."""

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        return self.formula.symbols

    def __str__(self) -> str:
        return f"{side_text(self.formula)} as a plain number at {self.place}"


def all_hold(guards: Iterable[Guard], at: Mapping[str, int]) -> bool:
    """Whether each condition is true at a point."""
    return all(each.holds(at) for each in guards)


def both_ways(guards: Iterable[Guard]) -> list[Guard]:
    """Each condition and the one that denies it."""
    return [either for each in guards for either in (each, each.denied)]


def not_both(one: Guard, other: Guard) -> Guard | None:
    """Of two exceptions, ``n != 32`` and ``m != 31``, that not both are there; nothing of other conditions.

    >>> n, m = Form.symbol("n"), Form.symbol("m")
    >>> told = not_both(Guard(n, "!=", Form.constant(2)), Guard(m, "!=", Form.constant(1)))
    >>> [told.holds({"n": a, "m": b}) for a, b in ((2, 1), (2, 3), (4, 1))]
    [False, True, True]
    """
    sides = one.left, one.right, other.left, other.right
    forms = [side for side in sides if isinstance(side, Form)]
    if (one.op, other.op) != ("!=", "!=") or len(forms) < len(sides):
        return None
    return guard((forms[0] - forms[1]) ** 2 + (forms[2] - forms[3]) ** 2, "!=", Form.constant(0), one.place, one.by)


def guard(left: FormLike, op: str, right: FormLike, place: Place = Place(), by: By = "dimension") -> Guard | None:
    """The simplest condition equal to ``left op right`` for positive integers; nothing where it is true of all of them.

    >>> k, n = Form.symbol("k"), Form.symbol("n")
    >>> print(guard(32 * k * n, ">", 65 * n))
    k >= 3
    >>> guard(n * k, ">=", n)
    >>> from symcost.formulas.form import floor
    >>> print(guard(floor(k / 2), ">=", floor((k + 1) / 2)))
    k % 2 == 0
    """
    found = simplest(as_form(left), op, as_form(right))
    return None if found is None else Guard(*found, place, by)


def strongest(guards: Iterable[Guard]) -> tuple[Guard, ...]:
    """The guards without those that another bound of the same size implies, in their order.

    >>> N = Form.symbol("N")
    >>> print(*strongest(Guard(N, op, Form.constant(k)) for op, k in ((">=", 64), ("!=", 1), ("<=", 512), (">=", 65))))
    N <= 512 N >= 65
    """
    found = [(each, _standing(each)) for each in guards]
    spans: dict[Form, tuple[int | None, int | None]] = {}
    for _, standing in found:
        if standing is not None and standing[1] in (">=", "<="):
            form, op, limit = standing
            low, high = spans.get(form, (None, None))
            if op == ">=":
                low = limit if low is None else max(low, limit)
            else:
                high = limit if high is None else min(high, limit)
            spans[form] = low, high
    return tuple(each for each, standing in found if standing is None or not _implied(standing, spans))


def multiples_once(guards: Sequence[Guard], steps: Mapping[str, int]) -> tuple[tuple[Guard, ...], dict[str, int]]:
    """The guards with all that asks for multiples of one symbol as one condition, and what each symbol is a multiple of.

    ``steps`` are multiples that are told already.

    >>> d = Form.symbol("d")
    >>> halves = d // 2
    >>> asked = [guard(d - 2 * halves, "==", 0), guard(halves - 2 * (halves // 2), "==", 0)]
    >>> found, steps = multiples_once([each for each in asked if each], {})
    >>> print(*found, steps)
    d % 4 == 0 {'d': 4}
    """
    kept, steps = list(guards), dict(steps)
    for name in sorted({name for each in guards if len(each.symbols) == 1 for name in each.symbols}):
        own = [each for each in kept if each.symbols == {name} and each.readable]
        step, met = _step(own, name, steps.get(name, 1))
        if met and step > 1:
            first = kept.index(met[0])
            told = (
                guard(_remainder(Form.symbol(name), step), "==", 0, met[0].place) if step > steps.get(name, 1) else None
            )
            kept[first : first + 1] = [] if told is None else [told]
            kept = [each for each in kept if each not in met[1:]]
            steps[name] = step
    return tuple(kept), steps


def _step(own: Sequence[Guard], name: str, step: int) -> tuple[int, list[Guard]]:
    """What a symbol is a multiple of by conditions of it alone, and those that then say no more."""
    met: list[Guard] = []
    while True:
        before = step, len(met)
        for each in own:
            multiple = _multiple(each, name) if each not in met else None
            if multiple is not None:
                step, met = math.lcm(step, multiple), [*met, each]
        for each in own if step > 1 else ():
            if each not in met and isinstance(each.left, Form) and isinstance(each.right, Form):
                left, right = (_in_steps(side, name, step) for side in (each.left, each.right))
                beside = guard(left, each.op, right)
                multiple = 1 if beside is None else _multiple(beside, name)
                step, met = (step * multiple, [*met, each]) if multiple is not None else (step, met)
        if before == (step, len(met)):
            return step, met


def _multiple(each: Guard, name: str) -> int | None:
    """The number that a condition asks a symbol to be a multiple of, and nothing else: 2 for ``3*d % 2 == 0``."""
    if each.op != "==" or not isinstance(each.left, Form) or each.number != 0:
        return None
    terms = each.left.terms
    times = terms.get(next(iter(Form.symbol(name).terms)), 0)
    numbers = {int(-c) for c in terms.values() if c < -1 and c.denominator == 1}
    asked = (
        number
        for number in numbers
        if times.denominator == 1 and each.left == _remainder(times * Form.symbol(name), number)
    )
    return next((number // math.gcd(int(times), number) for number in asked), None)


def _remainder(size: Form, number: int) -> Form:
    return size - number * (size // number)


def _in_steps(side: Form, name: str, step: int) -> Form:
    """A side with so many times the symbol in its place."""
    larger = step * Form.symbol(name)
    try:
        return changed(side, lambda atom: larger if atom.kind == "symbol" and atom.name == name else None)
    except ExpressionError:
        return side


def _standing(each: Guard) -> tuple[Form, str, int] | None:
    """A decision of integers as a form without a constant beside a number; nothing of others."""
    if not (isinstance(each.left, Form) and isinstance(each.right, Form)):
        return None
    difference = each.left - each.right
    constant = difference.terms.get((), 0)
    rest, op = difference - constant, each.op
    if not rest.terms or constant.denominator != 1:
        return None
    if min(rest.terms.items())[1] < 0:
        rest, constant, op = -rest, -constant, TURNED[op]
    return rest, op, -int(constant)


def _implied(standing: tuple[Form, str, int], spans: Mapping[Form, tuple[int | None, int | None]]) -> bool:
    """Whether the bounds of what it compares say more."""
    form, op, limit = standing
    low, high = spans.get(form, (None, None))
    below, above = low is not None and limit < low, high is not None and limit > high
    return {">=": below, "<=": above, "!=": below or above}.get(op, False)
