"""Roundings tested across scales: a floor fitted to few points may be another one between and beyond them.

Output sizes of windows are floors by a known stride. The roundings that model authors write (to multiples, halves,
shares, capacities) are not known beforehand: their forms are compared with the trace at points from small to large.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.formulas.prove.halving import last_good
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.low import LowEdge
from symcost.tracing.fitting.align import same
from symcost.tracing.fitting.rounding import composed
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Point
from symcost.tracing.sampling.signals import Counterexample

SCALES = (3, 5, 6, 9, 14, 18, 27, 33, 45, 68, 101, 150, 225, 338, 507, 761, 1141, 1711, 2567)
NEIGHBOURS = 40
MAX_EDGES = 8
"""How often an edge is looked for higher up: a form that is wrong again and again is no form."""
SHIFT = 5  # between the scales that several symbols take at once
FEW = 5
"""One in so many of the scales tells where every rounding is one that the program was seen to make."""


def rounded_symbols(forms: Iterable[Form], parameters: Iterable[str], strides: Iterable[int]) -> tuple[str, ...]:
    """Symbols inside floors that are not the output sizes of the program's own windows."""
    found: set[str] = set()
    for form in forms:
        for argument in form.floor_arguments():
            by_window = all(composed(c.denominator, tuple(strides)) for c in argument.terms.values())
            quotient = any(e < 0 for mono in argument.terms for _, e in mono)
            if quotient or not by_window or argument.symbols & set(parameters):
                found |= argument.symbols
    return tuple(sorted(found))


@dataclass
class Spread:
    """Points across scales for the symbols inside roundings, all of them moved at once."""

    explorer: Explorer
    names: tuple[str, ...]

    def check(self) -> None:
        """Where the form is wrong it is fitted again with these points; at last their low ones leave the domain."""
        explorer = self.explorer
        points = [p for p in self._points() if explorer.sampler.works(p) and not explorer.becomes_empty(p)]
        reasons = {i: reason for i, p in enumerate(points) if (reason := self._wrong(p)) is not None}
        if not reasons:
            return
        base = explorer.sampler(explorer.base)
        alike = [p for p in points if same(explorer.sampler(p), base)]
        first = next(iter(reasons.values()))
        if not explorer.settled and any(points[i] in alike for i in reasons):
            raise Counterexample(first, alike, between=True)
        rights = [p for i, p in enumerate(points) if i not in reasons and explorer.agrees(p)]
        wrongs = [points[i] for i in reasons]
        if rights and LowEdge(explorer, wrongs).order("", rights[0], wrongs[0]):
            return
        for name in self.names:
            wrong, right = ([p[name] for i, p in enumerate(points) if (i in reasons) is bad] for bad in (True, False))
            above = [v for v in right if v > max(wrong)]
            if above and 2 * len(above) >= len(right):
                explorer.domain.at_least[name] = self._bisected(name, max(wrong), min(above))
                return
        raise LiftError(
            f"the closed form is not right at {where(points[next(iter(reasons))])}: {first}; "
            f"give samples={{...}} or steps={{...}} for {', '.join(self.names)}"
        )

    def _wrong(self, point: Point) -> str | None:
        return None if self.explorer.domain.problem(point) is not None else self.explorer.difference(point)

    def _points(self) -> list[Point]:
        domain, points = self.explorer.domain, []
        for k in range(0, len(SCALES), FEW if self.explorer.proved else 1):
            point = dict(self.explorer.base)
            for index, name in enumerate(domain.dividing_first(self.names)):
                step = domain.step_of(name, point)
                point = domain.moved(point, name, SCALES[(k + SHIFT * index) % len(SCALES)] * step)
            points.append(point)
        return points

    def _bisected(self, name: str, wrong: int, right: int) -> int:
        """The least value above a wrong one that is right, and so are those tried above it."""
        step = self.explorer.domain.step_of(name, self.explorer.base)
        high = last_good(right // step, wrong // step, lambda value: self._right(name, value * step))
        for _ in range(MAX_EDGES):
            last = next((v for v in _above(high) if not self._right(name, v * step)), None)
            if last is None:
                return high * step
            high = last + 1
        raise LiftError(
            f"the closed form is not right at {name}={(high - 1) * step} and at values below: give samples={{...}} or "
            f"steps={{...}} for {', '.join(self.names)}"
        )

    def _right(self, name: str, value: int) -> bool:
        return self.explorer.difference(self.explorer.domain.moved(self.explorer.base, name, value)) is None


def _above(value: int) -> list[int]:
    """The next neighbours of a value, and points up to four times as high."""
    near = [value + k for k in range(1, NEIGHBOURS + 1)]
    return [*near, *dict.fromkeys(v for k in range(1, 25) if (v := value + value * k // 8) > near[-1])]
