"""What callers give: each argument is of the type that its function names, or the error says which and what it is."""

from __future__ import annotations

import inspect
import math
import operator
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache, wraps
from numbers import Real
from typing import Any, ParamSpec, TypeVar, Union

import sympy

from symcost.errors import SymcostError
from symcost.reading.numerals import MAX_BITS, short

P = ParamSpec("P")
R = TypeVar("R")
WORDS: Mapping[Any, str] = {
    str: "a text", int: "an integer", bool: "True or False", float: "a number", type(None): "None", range: "a range",
}  # fmt: skip


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose arguments are checked against their annotations before it runs.

    Names given to ``**point`` are left to the function, and so is what stands inside a mapping or a list.

    >>> @checked
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> double("x")
    Traceback (most recent call last):
    symcost.errors.SymcostError: number='x' must be an integer: it is a str, give double() another
    """
    return checked_but()(function)


def checked_but(*own: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The same for a function that has better words for some of its arguments: those are left to it."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            signature, hints = _read(function)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # Python says best what is missing or too much
            for name, value in bound.arguments.items():
                kind = signature.parameters[name].kind
                check_size(name, value, function.__name__)
                if name in hints and name not in own and kind is not inspect.Parameter.VAR_KEYWORD:
                    for part in value if kind is inspect.Parameter.VAR_POSITIONAL else (value,):
                        check(name, part, hints[name], function.__name__)
            return function(*args, **kwargs)

        return call

    return decorated


@cache
def _read(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    return inspect.signature(function), typing.get_type_hints(function)


def check(name: str, value: Any, hint: Any, place: str) -> None:
    """Raise where a value is not what a type hint says."""
    if not fits(value, hint):
        raise SymcostError(f"{name}={short(value)} must be {words(hint)}: it is {_kind(value)}, give {place}() another")


def check_size(name: str, value: Any, place: str) -> None:
    """Raise where an integer is, or is inside, as large as no number may be."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else (value,)
    for part in inside:
        if isinstance(part, int) and part.bit_length() > MAX_BITS:
            raise SymcostError(f"{name} in {place}() is or has {short(part)}: numbers have at most {MAX_BITS} bits")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what a hint says, as far as that is seen without looking inside it.

    >>> fits(2, int | None), fits(True, int), fits(float("nan"), float), fits("n", list[str])
    (True, False, False, False)
    """
    if hint is Any or isinstance(hint, TypeVar):
        return True
    if hint is int:
        return not isinstance(value, bool) and hasattr(type(value), "__index__") and _is_index(value)
    if hint is float:
        return isinstance(value, Real | Decimal) and not isinstance(value, bool) and math.isfinite(value)
    if typing.get_origin(hint) is typing.Literal:
        return isinstance(value, str)  # which of them, the function says in its own words
    if _is_union(hint):
        return any(fits(value, part) for part in typing.get_args(hint))
    origin = typing.get_origin(hint) or hint
    if origin is Callable or origin is typing.get_origin(Callable[..., Any]):
        return callable(value)
    if origin is tuple:
        return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    if not isinstance(origin, type) or (
        getattr(origin, "_is_protocol", False) and origin.__module__ != "collections.abc"
    ):
        return True
    return isinstance(value, origin) and not (isinstance(value, str | bytes) and origin not in (str, bytes))


def formula(given: Any) -> Any:
    """What is a formula, or an exact number, as sympy's; anything else is an error."""
    try:
        expression = sympy.sympify(given, strict=True)
    except (sympy.SympifyError, TypeError, ValueError):
        expression = None
    if (
        not isinstance(expression, sympy.Expr)
        or isinstance(given, type)
        or expression.has(sympy.Float, sympy.nan, sympy.zoo)
    ):
        shown = short(given) if isinstance(given, str | float) else f"a {type(given).__name__}"
        raise SymcostError(
            f"{shown} is no formula: give one such as costs.macs, latency(...).seconds or sc.parse('N**2')"
        )
    return expression


def words(hint: Any) -> str:
    """A hint in words.

    >>> words(int | None), words(str | Mapping[str, int])
    ('an integer or None', 'a text or a Mapping')
    """
    if _is_union(hint):
        return " or ".join(dict.fromkeys(words(part) for part in typing.get_args(hint)))
    origin = str if typing.get_origin(hint) is typing.Literal else typing.get_origin(hint) or hint
    name = getattr(origin, "__name__", str(origin))
    return WORDS.get(origin, _article(name))


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (Union, types.UnionType)


def _is_index(value: Any) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, float) and not math.isfinite(value):
        return "not finite"
    return _article(type(value).__name__)


def _article(name: str) -> str:
    return f"a{'n' if name[0] in 'AEIOUaeio' else ''} {name}"
