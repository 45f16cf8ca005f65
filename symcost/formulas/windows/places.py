"""Window positions inside the input, in closed form over sizes that may all be symbols.

:func:`symcost.formulas.windows.window.positions_inside` counts the pairs of an output ``o < O`` and a tap ``t < K`` that read a
real element ``u < I``: ``o s + t d - lo = u l``, with the stride ``s``, the kernel's dilation ``d`` and the input's ``l``.
With ``l = 1`` those before the input have ``o s + t d < lo``, and seen from the other end those behind it have
``o' s + t' d < hi`` with ``hi = (O - 1) s + (K - 1) d - lo - (I - 1)``. With ``l > 1`` outputs and inputs change places.
"""

from __future__ import annotations

import math
from fractions import Fraction

from symcost.errors import ExpressionError
from symcost.formulas.compared.dominance import dominates
from symcost.formulas.form import ONE, ZERO, Form, FormLike, as_form, floor, of_atom
from symcost.formulas.functions import positive_part


def places_inside(k: Form, out: Form, size: Form, lo: Form, s: int = 1, d: int = 1, lhs_d: int = 1) -> Form:
    """Pairs of output and tap that read the input, at every size.

    Where neither step is 1, there is a form tap by tap: the kernel or the output is a number then.

    >>> w, k = Form.symbol("w"), Form.symbol("k")
    >>> places_inside(Form.constant(3), w, w, Form.constant(1))
    3*w - 2
    >>> places_inside(k, w - k + 1, w, Form.constant(0))
    -k**2 + k*w + k
    """
    if lhs_d > 1 and s > 1:
        raise ExpressionError(
            f"a stride of {s} over an input dilated by {lhs_d} has no closed form: one of them must be 1"
        )
    if lhs_d > 1:
        return places_inside(k, size, out, d * (k - 1) - lo, lhs_d, d)
    hi = (out - 1) * s + (k - 1) * d - lo - size + 1
    if min(s, d) == 1:
        return k * out - _before(lo, s * out, d * k, s * d) - _before(hi, s * out, d * k, s * d)
    if k.number is None and out.number is not None:
        k, out, s, d = out, k, d, s  # taps and outputs play the same part
    if k.number is None:
        raise ExpressionError(
            f"steps of {s} and {d} have no closed form over {k}: one of them must be 1, or {k} a number"
        )
    taps = int(k.number)
    return k * out - _before_by_taps(lo, out, taps, s, d) - _before_by_taps(hi, out, taps, s, d)


def same_before(k: Form, out: Form, size: Form, s: int, d: int) -> Form:
    """Padding before the input where ``out`` windows fit with as much before as behind, the odd one behind.

    >>> w, k = Form.symbol("w"), Form.symbol("k")
    >>> same_before(k, w, w, 1, 1), same_before(Form.constant(3), floor((w + 1) / 2), w, 2, 1)
    (ceiling(k/2) - 1, ceiling(-w/2) + ceiling(w/2))
    """
    return floor(_at_least_zero((out - 1) * s + d * (k - 1) + 1 - size) / 2)


def _at_least_zero(form: Form) -> Form:
    return form if never_positive(-form) else positive_part(form)


def _before_by_taps(edge: Form, out: Form, taps: int, s: int, d: int) -> Form:
    """Pairs below an edge, tap by tap: ``ceiling((edge - t d)/s)`` outputs, but no more than there are."""
    if never_positive(edge):
        return ZERO
    depths = [edge - tap * d for tap in range(taps)]
    return Form.total(_steps(depth, s) - _steps(depth - s * out, s) for depth in depths)


def _steps(depth: Form, s: int) -> Form:
    """``ceiling(Max(0, depth)/s)``."""
    if never_positive(depth):
        return ZERO
    return floor((_at_least_zero(depth) + (s - 1)) / s)


def _before(edge: Form, outputs: Form, taps: Form, step: int) -> Form:
    """Pairs below an edge: all at or above 0, less those beyond the last output or tap, which were taken twice."""
    if never_positive(edge):
        return ZERO
    return (
        _corner(edge, step)
        - _corner(edge - outputs, step)
        - _corner(edge - taps, step)
        + _corner(edge - outputs - taps, step)
    )


def _corner(edge: Form, step: int) -> Form:
    """Pairs ``i, j >= 0`` with ``i + step j < edge``: ``c edge - step c(c - 1)/2`` with ``c = ceiling(edge/step)``."""
    if never_positive(edge):
        return ZERO
    inside = _at_least_zero(edge)
    rows = floor((inside + (step - 1)) / step)
    return rows * inside - Fraction(step, 2) * rows * (rows - ONE)


def never_positive(form: FormLike) -> bool:
    """Whether an integer form is at most 0 for all positive integers, as far as its largest terms tell.

    >>> k = Form.symbol("k")
    >>> never_positive(floor((k - 1) / 2) - k), never_positive(3 - k), never_positive(-floor((k - 1) / 2))
    (True, False, True)
    """
    bound = _without_floors(as_form(form), up=True)
    below = any(e < 0 for mono in bound.terms for _, e in mono)
    common = 1 if below else math.lcm(*(c.denominator for c in bound.terms.values()))
    return dominates(ZERO, bound - (1 - Fraction(1, common)))  # an integer below 1 is at most 0


def _without_floors(form: Form, up: bool) -> Form:
    """A bound from above, or below: each floor that stands alone as what it rounds, or that less its largest loss.

    >>> k = Form.symbol("k")
    >>> _without_floors(k - floor(k / 2), up=True), _without_floors(k - floor(k / 2), up=False)
    (k/2 + 1/2, k/2)
    """
    parts: list[FormLike] = []
    for coefficient, atoms in form.atoms():
        if [(atom.kind, exponent) for atom, exponent in atoms] != [("floor", 1)]:
            term = Form.constant(coefficient)
            for atom, exponent in atoms:
                term = term * of_atom(atom) ** exponent
            parts.append(term)
            continue
        (argument,) = atoms[0][0].args
        common = math.lcm(*(c.denominator for c in argument.terms.values()))
        fractional = any(e < 0 for term in argument.terms for _, e in term)
        loss = 0 if (coefficient > 0) is up else 1 if fractional else 1 - Fraction(1, common)
        parts.append((_without_floors(argument, up=(coefficient > 0) is up) - loss) * coefficient)
    return Form.total(parts)
