"""Peak activation memory as a maximum of few closed forms.

The live size after each step is a closed form; only those that can be the largest somewhere are kept, and the peak is
their maximum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symcost.errors import LiftError
from symcost.formulas.atoms import Mono
from symcost.formulas.compared.dominance import undominated
from symcost.formulas.compared.many import Many
from symcost.formulas.form import Form, as_form
from symcost.formulas.values import of_product
from symcost.tracing.counting.structure import Structure
from symcost.tracing.program.spec import where


def over_structure(
    lists: Sequence[Sequence[Any]],
    marks: Sequence[Mapping[Any, Any]],
    structure: Structure,
    points: Sequence[Mapping[str, int]],
) -> list[Form]:
    """Candidates over structural symbols too, from the live sizes and landmarks at each structural point.

    First the landmarks: what is alive at the first and last occurrence of each step is fitted over the structural
    symbols, whichever of them is the maximum. Where that misses the maximum of some structural point, the candidates
    of the points themselves are paired and fitted. In a pattern of layers, the candidates that all deeper points share
    come first: a form of floors can agree at many points, and be none.
    """
    every = [list(dict.fromkeys(map(as_form, sizes))) for sizes in lists]
    products = list(dict.fromkeys(mono for forms in every for form in forms for mono in form.terms))
    points = [point for point in points if _has_values(products, point)]
    if not points:
        raise LiftError("the sizes have no value at any of the points at which they are compared")
    if not structure.symbols:
        return undominated(lists[0], points)
    if structure.patterned and (shared := _shared([undominated(sizes, points) for sizes in lists], points)):
        return shared
    everywhere = [label for label in marks[0] if all(label in mark for mark in marks)]
    found: dict[Form, None] = {}
    for forms in dict.fromkeys(tuple(as_form(mark[label]) for mark in marks) for label in everywhere):
        try:
            found[structure.fit_forms(forms, ("peak",))] = None
        except LiftError:
            continue  # not regular over the structure; the check below says whether it was needed
    maxima = [_most(forms, points) for forms in every]
    if _wrong_at(list(found), maxima, structure, points) is None:
        inner = [{**point, **structure.points[0]} for point in points]
        deep = [{**point, **dict.fromkeys(structure.symbols, 1000)} for point in points]
        return undominated(list(found), [*inner, *deep])
    fitted = _paired([undominated(sizes, points) for sizes in lists], structure)
    wrong = _wrong_at(fitted, maxima, structure, points)
    if wrong:
        raise LiftError(f"the candidates at {where(wrong)} follow another form than the others")
    return fitted


def _has_values(products: Sequence[Mono], point: Mapping[str, int]) -> bool:
    """Whether every product has a value: one that is divided by ``floor(N/w)`` has none where that is 0."""
    try:
        return all(of_product(mono)(point) is not None for mono in products)
    except ArithmeticError:
        return False


def _most(forms: Sequence[Form], points: Sequence[Mapping[str, int]]) -> list[Any]:
    """The largest value at each point, exactly."""
    many = Many.of(forms, points)
    return [many.most(column) for column in range(len(points))]


def _shared(lists: Sequence[Sequence[Form]], points: Sequence[Mapping[str, int]]) -> list[Form]:
    """The candidates of every program from the middle one on, if they are the maximum in each of these; else none.

    In programs of few layers, where not every kind of layer occurs yet, they are an upper bound or nothing of use.
    """
    deep = lists[len(lists) // 2 :]
    common = [form for form in deep[0] if all(form in other for other in deep)]
    for point in points if common else ():
        most = max(Form.values(common, point))
        shallow, deeper = ({max(Form.values(forms, point)) for forms in part} for part in (lists[: -len(deep)], deep))
        if deeper != {most} or max(shallow) > most:
            return []
    return common


def _wrong_at(fitted: Sequence[Form], maxima: Sequence[Sequence[Any]], structure: Structure,
              points: Sequence[Mapping[str, int]]) -> Mapping[str, int] | None:  # fmt: skip
    """The first structural point at which the maximum is not that of the point's own sizes."""
    for fixed, there in zip(structure.points, maxima, strict=True):
        if not fitted or _most(fitted, [{**point, **fixed} for point in points]) != list(there):
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
