"""What a public name's docstring says: an example that runs, and which errors it raises and when."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any

import pytest

import symcost as sc
from symcost.errors import SymcostError

ENTRIES = ("__init__", "__post_init__", "__enter__", "check", "save")
"""Methods of a class that people call by its name, or on what it makes."""


def callables() -> dict[str, Any]:
    """Public functions and classes by name; errors are raised, not called."""
    found = {name: getattr(sc, name) for name in sc.__all__}
    return {name: made for name, made in found.items()
            if callable(made) and not (isinstance(made, type) and issubclass(made, SymcostError))}  # fmt: skip


def own_functions(made: Any) -> list[FunctionType]:
    """The function that a call of it runs: itself, or the methods that its class defines itself."""
    if isinstance(made, type):
        methods = [inspect.unwrap(vars(made)[name]) for name in ENTRIES if name in vars(made)]
        return [method for method in methods if isinstance(method, FunctionType) and "symcost" in method.__module__]
    return [inspect.unwrap(made)]


@cache
def body(function: FunctionType) -> ast.AST:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except OSError:  # of a dataclass: made of a text
        return ast.Module([], [])


def errors(function: FunctionType) -> Iterator[type[SymcostError]]:
    """Errors of symcost that a function's body raises."""
    for node in ast.walk(body(function)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            error = function.__globals__.get(node.exc.func.id)
            if isinstance(error, type) and issubclass(error, SymcostError):
                yield error


def called(function: FunctionType) -> Iterator[FunctionType]:
    """Functions of symcost that its body calls by their names."""
    for node in ast.walk(body(function)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            made = function.__globals__.get(node.func.id)
            plain = inspect.unwrap(made) if callable(made) else None
            if isinstance(plain, FunctionType) and plain.__module__.startswith("symcost."):
                yield plain


PUBLIC = callables()
RAISING = {
    name: sorted(
        {
            error.__name__
            for function in own_functions(made)
            for each in (function, *called(function))
            for error in errors(each)
        }
    )
    for name, made in PUBLIC.items()
}
"""By name, the errors that its own body raises, or that of what it calls directly."""


METHODS = {
    f"{name}.{method}": inspect.unwrap(function)
    for name, made in PUBLIC.items() if isinstance(made, type)
    for method, function in vars(made).items() if not method.startswith("_") and isinstance(function, FunctionType)
    if function.__doc__
}  # fmt: skip
"""Of the public classes, those with words of their own: what layers override is described where it is first defined."""


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_callable_has_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(PUBLIC[name]) or "")


@pytest.mark.parametrize("name", [name for name, raised in RAISING.items() if raised])
def test_what_raises_says_so(name: str) -> None:
    assert "Raises" in (inspect.getdoc(PUBLIC[name]) or ""), RAISING[name]


def test_methods_that_raise_say_so() -> None:
    raising = {name: {error.__name__ for error in errors(function)} for name, function in METHODS.items()}
    assert sum(map(bool, raising.values())) > 5
    assert not {
        name: raised for name, raised in raising.items() if raised and "Raise" not in (METHODS[name].__doc__ or "")
    }
