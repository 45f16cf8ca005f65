"""Jobs on their way to other processes: formulas arrive as they left, and only once.

Sympy's own unpickling compares all arguments of every ``Max`` anew, which takes longer than many a search.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import sympy


class _Pickler(pickle.Pickler):
    """Pickles what is known to be in order as it is."""

    def reducer_override(self, obj: Any) -> Any:
        """How an object is made again."""
        if isinstance(obj, sympy.Max | sympy.Min):
            return _unevaluated, (type(obj), obj.args)
        return NotImplemented


def _unevaluated(kind: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return kind(*args, evaluate=False)


def packed(value: Any) -> bytes:
    """A value as bytes that ``pickle.loads`` reads.

    >>> a, b = sympy.symbols("a b")
    >>> pickle.loads(packed(sympy.Max(a, b) + 1))
    Max(a, b) + 1
    """
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()
