"""Two closed forms as one, each where its side of a decision is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symcost.costs.cost import Cost
from symcost.costs.said import Certificate
from symcost.formulas.form import Form, as_form
from symcost.formulas.functions import maximum, where
from symcost.tracing.beyond import Piece
from symcost.tracing.counting.structure import Line, fingerprint
from symcost.tracing.domain.pieces import Pieces
from symcost.tracing.evidence.guard import Guard
from symcost.tracing.lifted import Unknown
from symcost.tracing.sampling.sample import Point


def joined(first: Piece, second: Piece, guard: Guard) -> Piece:
    """Both forms as one, with the first where the guard holds and the second elsewhere."""
    left, right = guard.left, guard.right
    if not (isinstance(left, Form) and isinstance(right, Form)):
        raise AssertionError(f"{guard} splits no form")
    here = where(left, guard.op, right)
    sides = ((first, here), (second, 1 - here))
    peaks = {kind: _peak([(piece.peaks[kind], there) for piece, there in sides]) for kind in first.peaks}
    residuals = None
    if first.residuals is not None and second.residuals is not None:
        residuals = first.residuals * here + second.residuals * (1 - here)
    certificates = first.certificate, second.certificate
    certificate = Certificate(
        sum(c.traces for c in certificates), _points(certificates, "fitted"), _points(certificates, "held_out"),
        sum(c.numbers for c in certificates), sum(c.programs for c in certificates))  # fmt: skip
    unknown = Unknown({**first.unknown.trips, **second.unknown.trips}, {**first.unknown.macs, **second.unknown.macs})
    return Piece(_lines(sides), peaks, residuals, certificate, Pieces(guard, first.domain, second.domain), unknown,
                 first.explorer, first.number + second.number)  # fmt: skip


def _points(certificates: Sequence[Certificate], kind: str) -> tuple[Point, ...]:
    return tuple(point for certificate in certificates for point in getattr(certificate, kind))


def _peak(sides: Sequence[tuple[Any, Form]]) -> Any:
    """The peak of each side on its side; a reason where one has none."""
    reason = next((peak for peak, _ in sides if isinstance(peak, str)), None)
    if reason is not None:
        return reason
    if sides[0][0] == sides[1][0]:
        return sides[0][0]
    largest = [(peak[0] if len(peak) == 1 else maximum(peak), there) for peak, there in sides]
    return [Form.total(as_form(form) * there for form, there in largest)]


def _lines(sides: Sequence[tuple[Piece, Form]]) -> list[Line]:
    """Lines of both in order; equal ones once, the others as often as they are executed on their side."""
    marked = [[(_mark(line), line) for line in piece.lines] for piece, _ in sides]
    shared = Counter(mark for mark, _ in marked[0]) & Counter(mark for mark, _ in marked[1])
    left, lines = Counter(shared), []
    for (_, there), these in zip(sides, marked, strict=True):
        first = these is marked[0]
        counted = Counter(shared) if not first else left
        for mark, line in these:
            if counted[mark] > 0:
                counted[mark] -= 1
                lines += [line] if first else []
            else:
                lines.append(_scaled(line, there))
    return lines


def _mark(line: Line) -> Any:
    """What makes two lines of two pieces the same."""
    costs = tuple(tuple(cost.items()) for cost in line.costs)
    return fingerprint(line.record), line.path, costs, line.number, line.merged, line.times


def _scaled(line: Line, there: Form) -> Line:
    """A line that is executed on one side alone."""
    if not line.merged:
        return replace(line, number=line.number * there)
    costs = tuple(Cost(**{metric: value * there for metric, value in cost.items()}) for cost in line.costs)
    return replace(line, costs=costs)
