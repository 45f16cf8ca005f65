"""Module paths and phases in the names of operations: written as scopes by a trace, read back from any HLO text.

A module runs inside a scope ``~its/path~``. The innermost such scope of an operation names its module, and the
transformations around it name its phase. The sign must survive the compilers: XLA cuts an operation's name at an ``@``.
"""

from __future__ import annotations

import re
from functools import lru_cache

MARK = "~"
FORWARD, BACKWARD, RECOMPUTE = "forward", "backward", "recompute"
_NUMBER = re.compile(r"\d+")
_SCOPE = re.compile(f"{MARK}([^{MARK}]*){MARK}")


def mark(path: str) -> str:
    """The scope that names a module.

    >>> mark("encoder/attention")
    '~encoder/attention~'
    """
    return f"{MARK}{path}{MARK}"


def marked(scope: str) -> str | None:
    """The path that a scope names, or nothing."""
    match = _SCOPE.fullmatch(scope)
    return match[1] if match else None


@lru_cache(maxsize=1 << 16)
def module_of(op_name: str) -> str | None:
    """Path of the module that an operation's name tells, or nothing.

    >>> module_of("jit(f)/jvp(~net~)/Dense_0/~net/Dense_0~/dot_general")
    'net/Dense_0'
    """
    paths = _SCOPE.findall(_first(op_name))
    return paths[-1] if paths else None


@lru_cache(maxsize=1 << 16)
def phase_of(op_name: str) -> str:
    """Forward, backward or recompute.

    >>> phase_of("jit(f)/transpose(jvp(~net~))/dot_general")
    'backward'
    """
    name = _first(op_name)
    if "rematted_computation" in name:
        return RECOMPUTE
    return BACKWARD if "transpose(" in name else FORWARD


def template(path: str) -> str:
    """The path with numbers replaced, so that repeated blocks share it.

    >>> template("encoder/block_11/attn")
    'encoder/block_#/attn'
    """
    return _NUMBER.sub("#", path)


def _first(op_name: str) -> str:
    """The operation itself, where the compiler lists what it was merged with behind it."""
    return op_name.partition(";")[0]
