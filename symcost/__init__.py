"""symcost: exact, symbolic cost formulas of JAX and Flax models, certified against fresh traces.

>>> import symcost as sc
>>> n, d = sc.symbols("n d")
>>> sc.evaluate(2 * n * d**2, {"n": 1, "d": 3})
18

``trace`` and ``trace_function`` derive formulas; they import jax on first use, everything else works without it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import symcost.symbols
import symcost.trace  # noqa: F401 - an empty package that the loop below makes callable; jax comes with a call
from symcost.cost import CONVENTIONS, Cost
from symcost.errors import (
    DomainError,
    ExpressionError,
    LiftError,
    RuleError,
    SpecError,
    SymcostError,
    TraceError,
)
from symcost.symbols import evaluate, parse
from symcost.table import CostTable, Row

if TYPE_CHECKING:
    from symcost.symbols import symbols
    from symcost.trace.face import trace, trace_function

__version__ = "0.1.0"

__all__ = [
    "CONVENTIONS",
    "Cost",
    "CostTable",
    "DomainError",
    "ExpressionError",
    "LiftError",
    "Row",
    "RuleError",
    "SpecError",
    "SymcostError",
    "TraceError",
    "evaluate",
    "parse",
    "symbols",
    "trace",
    "trace_function",
]

_VERBS = {"symcost.symbols": "symcost.symbols", "symcost.trace": "symcost.trace.face"}
"""Modules named like the one verb they hold, and where that verb is defined."""
_LAZY = {"trace_function": "symcost.trace.face"}
"""Public names of the jax half, and where they are defined."""


class _Verb(ModuleType):
    """A module that can be called: ``sc.trace(...)`` is the verb, ``symcost.trace.face`` stays importable."""

    @property
    def _verb(self) -> Any:
        return getattr(import_module(_VERBS[self.__name__]), self.__name__.rpartition(".")[2])

    @property
    def __signature__(self) -> Any:
        from inspect import signature

        return signature(self._verb)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._verb(*args, **kwargs)


for _name in _VERBS:
    sys.modules[_name].__class__ = _Verb


def __getattr__(name: str) -> Any:
    """The jax half, imported when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'symcost' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
