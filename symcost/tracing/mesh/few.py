"""The program of one device in closed form from a few points that tell all symbols apart, where its sizes are that simple."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symcost.formulas.form import Form
from symcost.tracing.fitting.align import Columns, lifted, same
from symcost.tracing.fitting.fit import Fitter
from symcost.tracing.fitting.lift import Programs
from symcost.tracing.fitting.monomials import Monomials, told_apart
from symcost.tracing.program.records import Program
from symcost.tracing.sampling.sample import Point, Values

MOST_REFUSED = 3
"""Points at which there is no program, before it is left to samples along each axis."""
NEAR = 1 << 16
"""Sizes of the points, where such tell symbols apart: what is claimed of larger ones is to be tried at corners, too."""


@dataclass
class Few:
    """The few points at which every size is another one, with structural symbols held ``fixed``, and their programs."""

    sampler: Programs
    values: Mapping[str, Values]
    fixed: Mapping[str, int]
    accepts: Callable[[Point], bool]
    points: list[Point] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)

    def lifted(self, factors: Sequence[Form]) -> Program | None:
        """The program in closed form, or nothing: then more points are to tell; ``factors`` are sizes of the whole arrays."""
        base = {**{name: of[0] for name, of in self.values.items()}, **self.fixed}
        refused: list[Point] = []
        while len(refused) < MOST_REFUSED:
            self.points = self._points(base, refused, NEAR) or self._points(base, refused)
            wrong = next((point for point in self.points if not self.sampler.works(point)), None)
            if wrong is None:
                break
            refused.append(wrong)
        if not self.points or len(refused) == MOST_REFUSED:
            return None
        self.programs = [self.sampler(point) for point in self.points]
        if not all(same(program, self.programs[0]) for program in self.programs[1:]):
            return None
        columns = Columns(self.programs, self.points)
        monomials = Monomials(list(self.values), self.points, factors)
        forms = {column: monomials.form(column) for column in columns.distinct()}
        if None in forms.values():
            monomials = Monomials(list(self.values), self.points, [*factors, *_around(filter(None, forms.values()))])
            forms.update({column: monomials.form(column) for column, form in forms.items() if form is None})
        fitter = Fitter(list(self.values), self.points)
        fitter.fitted.update(forms)
        return None if None in forms.values() else lifted(columns, fitter)

    def _points(self, base: Point, refused: list[Point], most: int = 0) -> list[Point]:
        def accepts(point: Point) -> bool:
            near = not most or all(size <= max(most, base[name]) for name, size in point.items())
            return near and point not in refused and self.accepts(point)

        return told_apart(base, self.values, accepts)


def _around(known: Iterable[Form]) -> Iterator[Form]:
    """Sums that are known, as the trips of a pipeline, and what is next to a known size: ``n - 1`` of a sum over all before it."""
    forms = [form for form in known if form.number is None]
    yield from (form for form in forms if len(form.terms) > 1)
    yield from (form + near for form in forms if len(form.terms) == 1 for near in (-1, 1))
