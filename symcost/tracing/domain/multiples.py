"""Between the multiples that were sampled: does the form hold there, or is the multiple a condition?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.fitting.align import same
from symcost.tracing.sampling.sample import Point, divisors
from symcost.tracing.sampling.signals import Counterexample


@dataclass
class Multiples:
    """Symbols that were sampled on multiples, and the steps that the form needs of them."""

    explorer: Explorer

    def check(self) -> None:
        """Symbols that were sampled on multiples: does the form hold between them? Else the multiple is a condition."""
        explorer = self.explorer
        coarse = {n: math.gcd(*explorer.values[n]) for n in explorer.sizes() if math.gcd(*explorer.values[n]) > 1}
        if not coarse:
            return
        found = {} if explorer.settled else {n: step for n, step in coarse.items() if n not in explorer.given}
        for name in found:
            if explorer.domain.step_of(name, explorer.base) > 1 and not explorer.domain.divided(name):
                self._try_multiples(name, 1)  # d/3 may be a rounding, unlike d/H: only the model says
        shallow = {n: explorer.base[n] for n in explorer.structural}
        for _ in range(2):
            point = self._near(shallow)
            if explorer.agrees(point):
                return
            for name in explorer.sizes():  # relations between symbols that no sample showed
                alone = explorer.alone(name, point[name])
                if not explorer.sampler.works(alone):
                    explorer.follows(name, alone[name])
        self._between(found)
        for name, step in coarse.items():
            others = {n: explorer.base[n] for n in explorer.domain.symbols if n != name}
            for candidate in divisors(step):
                explorer.domain.steps[name] = candidate
                point = self._near(others)
                if explorer.domain.problem(point) is None and explorer.agrees(point):
                    break
            else:
                explorer.domain.steps[name] = step
        explorer.domain.steps = {n: s for n, s in explorer.domain.steps.items() if s > 1}

    def _near(self, fixed: Point) -> Point:
        """A generic point not below the base, or a smaller one where that would hold too much."""
        explorer = self.explorer
        point = explorer.domain.generic_point(0, fixed, explorer.base)
        return (
            explorer.domain.generic_point(0, fixed, {}, (3, 2, 1)) if explorer.sampler.growth.is_heavy(point) else point
        )

    def _between(self, coarse: Mapping[str, int]) -> None:
        """Points between the multiples that were sampled, where the program is the same and the form is wrong."""
        explorer = self.explorer
        for name, sampled in coarse.items():
            step = explorer.domain.step_of(name, explorer.base)
            if sampled % step == 0 and sampled != step:
                self._try_multiples(name, step)

    def _try_multiples(self, name: str, step: int) -> None:
        explorer = self.explorer
        first = explorer.base[name] // step
        points = [{**explorer.base, name: (first + k) * step} for k in (1, 3, 7, first + 2, first + 5)]
        points = [
            p
            for p in points
            if explorer.sampler.works(p) and same(explorer.sampler(p), explorer.sampler(explorer.base))
        ]
        reasons = [reason for p in points if (reason := explorer.difference(p)) is not None]
        if reasons:
            raise Counterexample(reasons[0], points, between=True)
