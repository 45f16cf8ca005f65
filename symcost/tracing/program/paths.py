"""Module paths and phases from the name stacks of equations.

While a model is traced, each module method runs inside a scope with the module's absolute path. The innermost such scope
of an equation names its module; the transformations on the stack name its phase. Compilers keep both in their texts:
:mod:`symcost.hlo.reading.scopes` has the form of the scope.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import jax

from symcost.hlo.reading.scopes import BACKWARD as BACKWARD
from symcost.hlo.reading.scopes import FORWARD as FORWARD
from symcost.hlo.reading.scopes import RECOMPUTE as RECOMPUTE
from symcost.hlo.reading.scopes import mark, marked
from symcost.hlo.reading.scopes import template as template


class TooManyCalls(Exception):
    """A trial value made the model far deeper than a sample should be."""


@dataclass
class _Budget:
    calls: int
    left: int


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)

TRIAL = 150
"""What starting a trace is worth in calls."""


@dataclass
class Effort:
    """What traces took, the same on every machine: one for each module call and declared parameter, and some for each trace."""

    spent: int = 0


_effort: ContextVar[Effort | None] = ContextVar("effort", default=None)


@contextlib.contextmanager
def effort_counted() -> Iterator[Effort]:
    """Within it, and in no other one inside, the effort of traces is counted.

    >>> with effort_counted() as effort:
    ...     renew_budget()
    ...     spend_call()
    >>> effort.spent
    151
    """
    found = Effort()
    token = _effort.set(found)
    try:
        yield found
    finally:
        _effort.reset(token)


@contextlib.contextmanager
def call_budget(calls: int) -> Iterator[None]:
    """Within it, a trace of more than ``calls`` module calls and declared parameters raises :class:`TooManyCalls`.

    A budget within another one is no larger.
    """
    outer = _budget.get()
    most = calls if outer is None else min(calls, outer.calls)
    token = _budget.set(_Budget(most, most))
    try:
        yield
    finally:
        _budget.reset(token)


def renew_budget() -> None:
    """Start a trace: what the ones before it spent does not count."""
    _took(TRIAL)
    budget = _budget.get()
    if budget is not None:
        budget.left = budget.calls


def _took(calls: int) -> None:
    effort = _effort.get()
    if effort is not None:
        effort.spent += calls


def spend_call() -> None:
    """Take one call from the budget, if there is one."""
    _took(1)
    budget = _budget.get()
    if budget is not None:
        budget.left -= 1
        if budget.left < 0:
            raise TooManyCalls("more module calls than a trial may make")


_kinds: ContextVar[dict[str, str] | None] = ContextVar("kinds", default=None)


@contextlib.contextmanager
def kinds_of_modules() -> Iterator[dict[str, str]]:
    """Within it, the class of every module that is called is kept by its path; of a path with several classes none."""
    found: dict[str, str] = {}
    token = _kinds.set(found)
    try:
        yield found
    finally:
        _kinds.reset(token)


@contextlib.contextmanager
def module_scope(path: str, kind: str) -> Iterator[None]:
    """The scope of one module call: its path on every equation made inside."""
    spend_call()
    known = _kinds.get()
    if known is not None and known.setdefault(path, kind) != kind:
        known[path] = ""
    with jax.named_scope(mark(path)):
        yield


class Stacks:
    """Reads name stacks, each distinct one once."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[str | None, bool, bool]] = {}

    def read(self, stack: Any) -> tuple[str | None, bool, bool]:
        """(module path or nothing, under a transposition, recomputed) of one equation's own stack."""
        found = self._seen.get(stack)
        if found is None:
            names = [element.name for element in stack.stack]
            paths = [path for name in names if (path := marked(name)) is not None]
            found = self._seen[stack] = (
                paths[-1] if paths else None,
                "transpose" in names,
                any("rematted_computation" in name for name in names),
            )
        return found


def names_along(path: Any) -> list[str]:
    """Names along a tree path: module and leaf names, without the attributes that boxes add."""
    names = [str(getattr(part, "key", getattr(part, "idx", getattr(part, "name", part)))) for part in path]
    while names and names[-1] in ("value", "raw_value"):
        names.pop()
    return names
