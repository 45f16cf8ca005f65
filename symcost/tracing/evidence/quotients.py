"""The rest of a shape, ``x.reshape(n, -1, H, d // H)``: a size that needs no floor where what was divided before is whole."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from jax._src import core

from symcost.errors import ExpressionError
from symcost.formulas.form import Form, floor
from symcost.tracing.evidence.recorder import DIMENSION, Recorder


def rest(recorder: Recorder) -> Callable[..., Any]:
    """What jax divides the sizes of two shapes by; that the quotient is the plain one is a decision."""
    divide = core.divide_shape_sizes

    def divided(have: Any, want: Any) -> Any:
        total, known = math.prod(have), math.prod(want)
        if any(isinstance(size, DIMENSION) and not recorder.owns(size) for size in (total, known)):
            return divide(have, want)
        undecided = isinstance(total, DIMENSION) and isinstance(total % known, DIMENSION)
        total, known = map(math.prod, _apart(recorder, have, want)) if undecided else (total, known)
        found = _plain(recorder, total, known) if undecided else None
        if found is not None and recorder.decide(found * known, "==", total, sys._getframe(1)):
            return found
        return divide(have, want)

    return divided


def _apart(recorder: Recorder, have: Any, want: Any) -> tuple[list[Any], list[Any]]:
    """The sizes of two shapes without those that both have: sums among them would stand below."""
    first, second = list(have), []
    for size in want:
        same = next((i for i, other in enumerate(first) if recorder.form(other) == recorder.form(size)), None)
        if same is None:
            second.append(size)
        else:
            del first[same]
    return first, second


def _plain(recorder: Recorder, total: Any, known: Any) -> Any:
    """The quotient without floors, as a size, where it is one and right at the base; ``N`` of ``N*d/(H*floor(d/H))``."""
    try:
        form = _without_floors(recorder.form(total)) / _without_floors(recorder.form(known))
    except ExpressionError:  # a sum stands below
        return None
    if not (form.is_polynomial and form.is_integral and form.symbols):
        return None
    if form.value(recorder.values) * recorder.value(known) != recorder.value(total):
        return None
    return _size(recorder, form)


def _size(recorder: Recorder, form: Form) -> Any:
    """A polynomial of symbols as a size of jax's."""
    found: Any = 0
    for coefficient, factors in form.atoms():
        part: Any = int(coefficient)
        for atom, exponent in factors:
            part = part * recorder.dimension(atom.name) ** exponent
        found = found + part
    return found


def _without_floors(form: Form) -> Form:
    """Every ``floor(d/H)`` as ``d/H``."""
    found = Form.constant(0)
    for mono, coefficient in form.terms.items():
        part = Form({(): coefficient})
        for atom, exponent in mono:
            factor = Form({((atom, 1),): 1})
            inside = factor.floor_arguments()
            if inside and factor == floor(inside[0]):
                factor = _without_floors(inside[0])
            part = part * factor**exponent if exponent > 0 else part / factor**-exponent
        found = found + part
    return found
