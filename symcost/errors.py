"""Errors a person can act on: one line saying what is wrong, its value, what it must agree with, what to do."""

from __future__ import annotations


class SymcostError(ValueError):
    """Base of every error that symcost raises on purpose; the command line prints it in one line and exits with 2."""


class SpecError(SymcostError):
    """An input spec such as ``float32[n,N,d]`` that cannot be read."""


class ExpressionError(SymcostError):
    """A text that is not an expression of the safe grammar, or an expression that has no exact value."""


class DomainError(SymcostError):
    """A value outside the domain on which a closed form was certified."""


class RuleError(SymcostError):
    """A primitive that cannot be counted."""


class TraceError(SymcostError):
    """A model that cannot be traced at any sample point."""


class LiftError(SymcostError):
    """A traced model whose sizes do not follow any closed form that could be certified."""


class ShapeError(SymcostError):
    """A layer whose sizes do not fit each other or its input."""


class SpaceError(SymcostError):
    """A design space that is empty, does not fit its formulas, or is another one than a folder holds."""


class DeviceError(SymcostError):
    """A device that is unknown, badly described, or has no published number of the kind asked for."""


def described(problem: Exception) -> str:
    """An error that somebody else raised, in one line: its kind, and the first line of what it says.

    >>> described(ValueError("no such axis"))
    'ValueError: no such axis'
    """
    return f"{type(problem).__name__}: {(str(problem).strip() or 'no message').splitlines()[0]}"
