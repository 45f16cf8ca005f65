"""Parameters of an equation for rules of one's own: their shape never varies, the integers in them may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import numpy as np

from symcost.formulas.form import Form
from symcost.rules.base import Facts

LEFT_OUT = object()


def taken(params: Mapping[str, Any]) -> Facts:
    """Every parameter that is plain data: integers, texts, flags, number types, and tuples of such.

    >>> facts = taken({"axes": (0, 1), "padding": "SAME", "jaxpr": object()})
    >>> facts.static, dict(facts.sizes)
    ((('axes', (<class 'int'>, <class 'int'>)), ('padding', 'SAME')), {'axes': (0, 1)})
    """
    static, sizes = [], {}
    for name in sorted(params):
        value = getattr(params[name], "grid", params[name]) if name == "grid_mapping" else params[name]
        name = "grid" if name == "grid_mapping" else name
        integers: list[int] = []
        template = _template(value, integers)
        if template is not LEFT_OUT:
            static.append((name, template))
            if integers:
                sizes[name] = tuple(integers)
    return Facts(tuple(static), sizes)


def parameters(facts: Facts) -> dict[str, Any]:
    """The parameters as they were, with closed forms where integers vary.

    >>> parameters(taken({"axes": (0, 1), "padding": "SAME", "axis": 2}))
    {'axes': (0, 1), 'axis': 2, 'padding': 'SAME'}
    """
    return {name: _filled(template, iter(facts.sizes.get(name, ()))) for name, template in facts.static}


def _template(value: Any, integers: list[int]) -> Any:
    """The value with ``int`` in the place of integers, which are appended to ``integers``."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if isinstance(value, tuple | list):
        parts = tuple(_template(part, integers) for part in value)
        return LEFT_OUT if LEFT_OUT in parts else parts
    if not isinstance(value, int | np.integer):
        return LEFT_OUT
    integers.append(int(value))
    return int


def _filled(template: Any, integers: Iterator[Any]) -> Any:
    if template is int:
        integer = next(integers)
        return integer.number if isinstance(integer, Form) and isinstance(integer.number, int) else integer
    if isinstance(template, tuple):
        return tuple(_filled(part, integers) for part in template)
    return template
