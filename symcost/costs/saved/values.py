"""Values of saved files: each is of the type that its place asks for, or the file is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.numerals import short


@contextmanager
def undamaged(path: Path, what: str) -> Iterator[None]:
    """Within it a file is read; what is wrong in it is an error of the file, which is to be saved again."""
    try:
        yield
    except SymcostError as problem:
        raise SymcostError(f"{path} is damaged: {problem}") from None
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as problem:
        raise SymcostError(f"{path} is damaged: {type(problem).__name__} {problem}, save the {what} again") from None


def as_text(given: Any) -> str:
    """A text."""
    if not isinstance(given, str):
        raise SymcostError(f"{short(given)} stands where a text should, save it again")
    return given


def as_integer(given: Any, name: str = "") -> int:
    """An integer; ``name`` is what it is of."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise SymcostError(f"{name and f'{name}='}{short(given)} stands where an integer should, save it again")
    return given


def as_texts(given: Mapping[str, Any]) -> dict[str, str]:
    """Texts by name."""
    return {as_text(name): as_text(told) for name, told in given.items()}


def as_integers(given: Mapping[str, Any]) -> dict[str, int]:
    """Integers by name."""
    return {name: as_integer(value, name) for name, value in given.items()}


def or_none(read: Callable[[Any], Any], given: Any) -> Any:
    """None, or what ``read`` makes of it."""
    return None if given is None else read(given)
