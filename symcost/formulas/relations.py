"""Comparisons of two exact numbers, in texts, in Python and in sympy."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import sympy

RELATIONS: dict[str, tuple[Callable[[Any, Any], bool], Any]] = {
    "==": (operator.eq, sympy.Eq), "!=": (operator.ne, sympy.Ne), "<": (operator.lt, sympy.Lt),
    "<=": (operator.le, sympy.Le), ">": (operator.gt, sympy.Gt), ">=": (operator.ge, sympy.Ge),
}  # fmt: skip
"""By its sign: the comparison of Python's numbers, and sympy's relation."""
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
"""The sign of a comparison in the syntax of a text."""
