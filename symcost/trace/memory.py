"""Peak activation memory as a maximum of few closed forms.

The live size after each step is a closed form; only those that no other one dominates for all positive symbols are
kept, and the peak is their maximum.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from symcost.errors import LiftError
from symcost.form import Form, Mono, as_form
from symcost.trace.spec import where
from symcost.trace.structure import Structure

MAX_COMPARED = 24
NEARLY = 1e-9
MAX_DENOMINATOR = 1000


def undominated(sizes: Sequence[Any], points: Sequence[Mapping[str, int]]) -> list[Form]:
    """The forms that can be the largest somewhere: those that no other dominates for all positive symbols."""
    forms = list(dict.fromkeys(as_form(size) for size in sizes))
    at_points = zip(*(Form.values(forms, p) for p in points), strict=True)
    valued = sorted(zip(at_points, forms, strict=True), key=lambda v: v[0], reverse=True)
    kept: list[tuple[tuple[Any, ...], Form]] = []
    for values, form in valued:
        if not any(_covers(a, values) and dominates(b, form) for a, b in kept):
            kept = [(a, b) for a, b in kept if not (_covers(values, a) and dominates(form, b))]
            kept.append((values, form))
    return [form for _, form in _extreme(kept)]


def _extreme(kept: list[tuple[tuple[Any, ...], Form]]) -> list[tuple[tuple[Any, ...], Form]]:
    """Without the forms below a weighted mean of two others: such a form is never the only maximum.

    Values at the points propose the weight; the comparison itself is exact.
    """
    if len(kept) > MAX_COMPARED:
        return kept  # all pairs against each would take long; a maximum of more forms is as right
    index = 0
    while index < len(kept):
        values, form = kept[index]
        others = kept[:index] + kept[index + 1 :]
        if any(
            (w := _weight(a, b, values)) is not None
            and dominates(w.numerator * left + (w.denominator - w.numerator) * right, w.denominator * form)
            for (a, left), (b, right) in itertools.combinations(others, 2)
        ):
            kept = others
        else:
            index += 1
    return kept


def _weight(a: Sequence[Any], b: Sequence[Any], below: Sequence[Any]) -> Fraction | None:
    """A simple weight ``w`` in [0, 1] for which the numbers allow ``w a + (1 - w) b >= below``, if there is one.

    It is a proposal, so floats do: whoever asks compares exactly.
    """
    low, high = 0.0, 1.0
    for x, y, z in zip(a, b, below, strict=True):
        if x == y:
            if x < z:
                return None
        elif x > y:
            low = max(low, (z - y) / (x - y))
        else:
            high = min(high, (y - z) / (y - x))
        if low > high + NEARLY:
            return None
    return Fraction((low + high) / 2).limit_denominator(MAX_DENOMINATOR)


def telling_points(base: Mapping[str, int], symbols: Sequence[str]) -> list[dict[str, int]]:
    """The base, and points where one symbol or two outgrow the others: what dominates everywhere dominates there."""
    grown = [*((n,) for n in symbols), *itertools.combinations(symbols, 2)]
    return [dict(base), *({**base, **{n: 1000 * base[n] for n in names}} for names in grown)]


def _covers(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return all(a >= b for a, b in zip(left, right, strict=True))


def dominates(large: Form, small: Form) -> bool:
    """Whether ``large >= small`` for all symbols >= 1, by covering every negative term of the difference.

    >>> n, d = Form.symbol("n"), Form.symbol("d")
    >>> dominates(3 * n * d, n * d + n), dominates(n, d)
    (True, False)
    """
    difference = (large - small).terms
    positive = {m: c for m, c in difference.items() if c > 0}
    for mono, coefficient in difference.items():
        need = -coefficient
        if need <= 0:
            continue
        for other, have in list(positive.items()):
            if have > 0 and _divides(mono, other):
                taken = min(have, need)
                positive[other] = have - taken
                need -= taken
                if not need:
                    break
        if need:
            return False
    return True


def _divides(small: Mono, large: Mono) -> bool:
    """Whether every atom's exponent in ``small`` is at most that in ``large``."""
    exponents = dict(large)
    return all(e <= exponents.pop(a, 0) for a, e in small) and all(e >= 0 for e in exponents.values())


def over_structure(
    lists: Sequence[Sequence[Any]],
    marks: Sequence[Mapping[Any, Any]],
    structure: Structure,
    points: Sequence[Mapping[str, int]],
) -> list[Form]:
    """Candidates over structural symbols too, from the live sizes and landmarks at each structural point.

    First the landmarks: what is alive at the first and last occurrence of each step is fitted over the structural
    symbols, whichever of them is the maximum. Where that misses the maximum of some structural point, the candidates
    of the points themselves are paired and fitted.
    """
    if not structure.symbols:
        return undominated(lists[0], points)
    everywhere = [label for label in marks[0] if all(label in mark for mark in marks)]
    found: dict[Form, None] = {}
    for forms in dict.fromkeys(tuple(as_form(mark[label]) for mark in marks) for label in everywhere):
        try:
            found[structure.fit_forms(forms, ("peak",))] = None
        except LiftError:
            continue  # not regular over the structure; the check below says whether it was needed
    maxima = [[max(Form.values(map(as_form, sizes), point)) for point in points] for sizes in lists]
    if _wrong_at(list(found), maxima, structure, points) is None:
        inner = [{**point, **structure.points[0]} for point in points]
        deep = [{**point, **dict.fromkeys(structure.symbols, 1000)} for point in points]
        return undominated(list(found), [*inner, *deep])
    fitted = _paired([undominated(sizes, points) for sizes in lists], structure)
    wrong = _wrong_at(fitted, maxima, structure, points)
    if wrong:
        raise LiftError(f"the candidates at {where(wrong)} follow another form than the others")
    return fitted


def _wrong_at(fitted: Sequence[Form], maxima: Sequence[Sequence[Any]], structure: Structure,
              points: Sequence[Mapping[str, int]]) -> Mapping[str, int] | None:  # fmt: skip
    """The first structural point at which the maximum is not that of the point's own sizes."""
    for fixed, there in zip(structure.points, maxima, strict=True):
        for point, peak in zip(points, there, strict=True):
            if max(Form.values(fitted, {**point, **fixed}), default=None) != peak:
                return fixed
    return None


def _paired(lists: Sequence[Sequence[Form]], structure: Structure) -> list[Form]:
    """Candidates that stay the same, and the others paired in a fixed order and fitted like any sum.

    Only the structural points that have the usual number of them count: a network of one block may lack some.
    """
    common = [form for form in lists[0] if all(form in other for other in lists)]
    rests = [sorted((f for f in forms if f not in common), key=_order) for forms in lists]
    usual = max({len(rest) for rest in rests}, key=lambda n: (sum(len(r) == n for r in rests), n))
    chosen = [index for index, rest in enumerate(rests) if len(rest) == usual]
    at = [structure.points[index] for index in chosen]
    groups = zip(*(rests[index] for index in chosen), strict=True)
    return [*common, *(structure.fit_forms(group, ("peak",), at) for group in groups)]


def _order(form: Form) -> Any:
    return sorted(form.terms), sorted(form.terms.items())
