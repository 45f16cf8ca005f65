"""Conditions in their simplest form: an exception ``x != 64``, a bound, ``d % H == 0``, an order of two sizes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from symcost.formulas.compared.dominance import dominates
from symcost.formulas.form import ZERO, Form, Mono, floor, of_atom

TURNED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
Comparison = tuple[Form, str, Form]


def simplest(left: Form, op: str, right: Form) -> Comparison | None:
    """The same condition on positive integers, told shortest; nothing where every positive integer meets it.

    A factor that both sides share goes, a constant stands alone on the right, strict orders of integers become plain ones.
    """
    difference = _without_halves(_without_factor(left - right))
    if op not in ("==", "!="):
        difference, op = _without_floor(difference, op)
    if op in "<>" and difference.is_integral:  # the strict ones
        difference, op = difference + (1 if op == "<" else -1), op + "="
    if op in ("<", "<=") or (op not in (">", ">=") and _leads_below(difference)):
        difference, op = -difference, TURNED[op]
    difference = _in_lowest_terms(difference, op)
    return None if _always(difference, op) else _sides(difference, op)


def side_text(side: Any) -> str:
    """One side as text that :func:`symcost.parse` reads, remainders as ``x % q``; other formulas as they write themselves."""
    if not isinstance(side, Form):
        return str(side)
    found = _remainder(side)
    if found is None or found[2]:
        return str(side)
    x, q, _ = found
    left = str(x) if len(x.terms) == 1 and _plain(x) else f"({x})"
    return f"{left} % {q if _single(q) else f'({q})'}"


def is_remainder(side: Any) -> bool:
    """Whether a side is ``x % q``, which comes back to 0 and 1 again and again."""
    return isinstance(side, Form) and _remainder(side) is not None


def _plain(form: Form) -> bool:
    """Whether a form binds as strongly as ``%``: a product of symbols, a number, or one function."""
    ((_, coefficient),) = form.terms.items()
    return coefficient > 0 and coefficient.denominator == 1


def _single(form: Form) -> bool:
    """Whether a form is one number or one symbol or function: on the right of ``%`` a product would be torn apart."""
    if len(form.terms) != 1:
        return False
    ((mono, coefficient),) = form.terms.items()
    return _plain(form) and (not mono or (coefficient == 1 and len(mono) == 1 and mono[0][1] == 1))


def _without_factor(form: Form) -> Form:
    """Without the symbols that are in all its terms: sizes are positive, so that the sign stays."""
    if not form.terms:
        return form
    shared = dict(next(iter(form.terms)))
    for mono in form.terms:
        powers = dict(mono)
        shared = {a: min(e, powers.get(a, 0)) for a, e in shared.items()}
    common = tuple((a, e) for a, e in shared.items() if e > 0 and Form({((a, 1),): 1}).is_polynomial)
    return form / Form({common: 1}) if common else form


def _without_halves(form: Form) -> Form:
    """With ``floor(2*u)`` for ``floor(u) + floor(u + 1/2)`` (Hermite): ``floor(u) == floor(u + 1/2)`` asks whether that is even."""
    floors = {}
    for mono, coefficient in form.terms.items():
        inside = Form({mono: 1}).floor_arguments() if len(mono) == 1 and mono[0][1] == 1 else ()
        if inside and Form({mono: 1}) == floor(inside[0]):
            floors[inside[0]] = coefficient
    for upper, coefficient in floors.items():
        lower = upper - Fraction(1, 2)
        if floors.get(lower, 0) * coefficient < 0:
            return form + coefficient * (floor(2 * lower) - floor(lower) - floor(upper))
    return form


def _without_floor(form: Form, op: str) -> tuple[Form, str]:
    """``floor(d/16) >= 8`` is ``d >= 128``, and ``floor(d/16) < 8`` is ``d < 128``: a floor beside whole numbers goes."""
    up, mark = (form, op) if op in (">", ">=") else (-form, TURNED[op])
    terms = [(m, c) for m, c in up.terms.items() if m]
    constant = up.terms.get((), 0)
    if (
        len(terms) != 1
        or len(terms[0][0]) != 1
        or terms[0][0][0][1] != 1
        or abs(terms[0][1]) != 1
        or constant.denominator != 1
    ):
        return form, op
    ((mono, sign),) = terms
    inside = Form({mono: 1}).floor_arguments()
    if not inside or Form({mono: 1}) != floor(inside[0]):
        return form, op
    bound = constant - (mark == ">")  # floor(u) + bound >= 0, or -floor(u) + bound >= 0
    return _whole(inside[0] + bound if sign > 0 else bound + 1 - inside[0]), ">=" if sign > 0 else ">"


def _whole(form: Form) -> Form:
    """The form times what stands below its terms: positive, so that the sign stays."""
    below = {a: 0 for m in form.terms for a, _ in m}
    for mono in form.terms:
        for atom, exponent in mono:
            below[atom] = max(below[atom], -exponent)
    number = math.lcm(*(c.denominator for c in form.terms.values()))
    return form * Form({tuple(sorted((a, e) for a, e in below.items() if e)): number})


def _leads_below(form: Form) -> bool:
    """Whether it reads better with all signs changed."""
    signs = [c > 0 for mono, c in form.terms.items() if mono]
    return sum(signs) * 2 < len(signs) or (sum(signs) * 2 == len(signs) and form.terms.get((), 0) > 0)


def _in_lowest_terms(form: Form, op: str) -> Form:
    """An integral form divided by what its coefficients share; the constant of an order is rounded, as integers allow."""
    coefficients = [c for mono, c in form.terms.items() if mono]
    if not coefficients or not form.is_integral:
        return form
    common, constant = math.gcd(*map(int, coefficients)), int(form.terms.get((), 0))
    if common == 1 or (op in ("==", "!=") and constant % common):
        return form
    whole = Form({m: c // common for m, c in form.terms.items() if m})
    return whole + constant // common  # of an order, which is >=: x >= -k/g is x >= -floor(k/g)


def _always(form: Form, op: str) -> bool:
    """Whether ``form op 0`` is seen to hold for all positive integers."""
    if op == "!=" and _never_whole(form):
        return True
    remainder = _remainder(form)
    if remainder is not None:
        return {">=": remainder[2] >= 0, ">": remainder[2] > 0, "!=": remainder[2] > 0, "==": False}[op]
    if form.number is not None:
        return {"==": form.number == 0, "!=": form.number != 0, ">=": form.number >= 0, ">": form.number > 0}[op]
    below = _remainder(-form)
    if below is not None:  # at most q - 1 + k, where q is a number
        return below[1].number is not None and {">=": below[1].number - 1 + below[2] <= 0,
                                                ">": below[1].number - 1 + below[2] < 0}.get(op, False)  # fmt: skip
    if op == ">=":
        return _positive(form)
    if not form.is_integral:
        return False
    return _positive(form - 1) or (op == "!=" and _positive(-form - 1))


def _positive(form: Form) -> bool:
    """Whether a form is seen to be at least 0 for all positive integers: its floors as small, or as large, as they may be."""
    return any(
        dominates(_whole(bound), ZERO) for bound in (_below(form, True), _below(form, False)) if bound is not None
    )


def _below(form: Form, zero: bool) -> Form | None:
    """A lower bound without floors: a floor is at least 0 (of what is not negative) or at least ``u - 1``, and at most ``u``."""
    bound = Form.constant(0)
    for mono, coefficient in form.terms.items():
        part = Form({(): coefficient})
        for atom, exponent in mono:
            factor = Form({((atom, 1),): 1})
            inside = factor.floor_arguments()
            if not factor.is_polynomial:
                upper = None if exponent != 1 or not inside or factor != floor(inside[0]) else _below(inside[0], zero)
                positive = upper is not None and all(c > 0 for c in inside[0].terms.values())
                if upper is None or not positive or not inside[0].is_polynomial:
                    return None
                factor = inside[0] if coefficient < 0 else Form.constant(0) if zero else inside[0] - 1
                if not zero and coefficient > 0 and len(mono) > 1:
                    return None
            part = part * factor**exponent if exponent > 0 else part / factor**-exponent
        bound = bound + part
    return bound


def _never_whole(form: Form) -> bool:
    """Whether all coefficients but the constant share a divisor, so that integers never make it 0."""
    shared = math.gcd(*(c.numerator for mono, c in form.terms.items() if mono))
    return form.is_integral and shared > 1 and bool(form.terms.get((), 0) % shared)


def _sides(form: Form, op: str) -> Comparison:
    """``form op 0`` with its negative terms on the right."""
    constant = form.terms.get((), 0)
    for turned, mark in ((form, op), (-form, TURNED[op])):
        found = _remainder(turned)
        if found is not None:
            x, q, k = found
            if q.number not in (None, 2) and (mark, k) in (("<=", 2 - q.number), (">=", 1 - q.number)):
                x, mark, k = x + 1, "!=" if mark == "<=" else "==", 0  # whether it is q - 1 or less
            shift = x.terms.get((), 0)
            if mark in ("==", "!=") and q.number is not None and (shift or k) and x.is_integral:
                x, k = x - shift, (k + shift) % -q.number if (k + shift) % q.number else 0
            if (mark == "<=" and not k) or (mark == ">=" and k == -1):
                mark, k = ("==" if mark == "<=" else "!="), 0
            if q.number == 2 and k == -1 and mark in ("==", "!="):  # odd is not even, of a size and of its negative
                mark, k = ("!=" if mark == "==" else "=="), 0
            if not k and mark in ("==", "!=") and all(c < 0 for c in x.terms.values()):
                x = -x
            return x - q * (x // q), mark, Form.constant(-k)
    above = Form({m: c for m, c in form.terms.items() if m and c > 0})
    below = Form({m: -c for m, c in form.terms.items() if m and c < 0})
    if not above.terms:
        above, below, constant, op = below, above, -constant, TURNED[op]
    if below.terms and constant > 0:
        return above + constant, op, below
    return above, op, below - constant


def _remainder(form: Form) -> tuple[Form, Form, Any] | None:
    """``x, q, k`` where a form is ``x % q + k`` with a positive ``q`` and a number ``k``: it holds ``-q*floor(x/q)``."""
    for mono, coefficient in form.terms.items():
        for atom, exponent in mono:
            inside = Form({((atom, 1),): 1}).floor_arguments()
            if exponent != 1 or not inside or coefficient >= 0:
                continue
            q = Form({_without(mono, atom): -coefficient})
            x = q * inside[0]
            rest = form + q * Form({((atom, 1),): 1})
            for dividend in (x, floor(x)):  # a floor of a floor is one floor
                number = (rest - dividend).number
                if number is not None:
                    return dividend, q, number
    return _remainder_by_sum(form)


def _remainder_by_sum(form: Form) -> tuple[Form, Form, Any] | None:
    """Likewise, where ``q`` is a sum of sizes."""
    quotients = dict.fromkeys(atom for _, atoms in form.atoms() for atom, _ in atoms if atom.kind == "quotient")
    for quotient in quotients:
        x, q = quotient.args
        number = (form + q * of_atom(quotient) - x).number
        if number is not None and all(c > 0 for c in q.terms.values()):
            return x, q, number
    return None


def _without(mono: Mono, atom: int) -> Mono:
    return tuple((a, e) for a, e in mono if a != atom)
