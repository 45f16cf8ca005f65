"""The upper edges of the domain: a far joint point, and where it fails, how large each size may be."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from symcost.errors import LiftError
from symcost.formulas.form import Form
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.special import Special
from symcost.tracing.evidence.guard import all_hold
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import MODERATE, TINY, Point
from symcost.tracing.sampling.signals import Irregular

HIGH = 1009
MULTIPLES = (2, 4)
"""What models ask of sizes by which they divide them when their parameters are made."""
FACTORS = (2, 3, 4, 8, 16, 64)


@dataclass
class HighEdge:
    """Compares the form with the program far above its samples."""

    explorer: Explorer

    def find(self) -> None:
        """A far joint point; where it fails, the largest value along each axis that still agrees."""
        explorer = self.explorer
        scale = {n: self._far(n) if len(explorer.values[n]) > 3 else explorer.base[n] for n in explorer.sizes()}
        point = self._decided_alike(self._point(1, scale))
        while explorer.too_large(point) and any(s > 1 for s in scale.values()):
            scale = {n: max(explorer.base[n] if s > explorer.base[n] else 1, s // 4) for n, s in scale.items()}
            point = self._decided_alike(self._point(1, scale))
        if not explorer.sampler.works(point):
            point = self._evened(point)
        if explorer.agrees(point):
            return
        for name in explorer.sizes():
            alone = explorer.alone(name, point[name])
            if explorer.domain.decides(alone) or explorer.outside(alone):
                continue
            reason = explorer.difference(alone)
            if reason is None or explorer.too_large(alone):
                continue
            Special(explorer).ends(name, alone, reason)
        # The far point itself where the narrower domain still has it, and one that lies inside in any case.
        for far in (point, self._point(2, {n: min(s, explorer.domain.at_most.get(n, s)) for n, s in scale.items()})):
            if explorer.outside(far) or explorer.too_large(far) or explorer.agrees(far):
                continue
            shallow = {**far, **{n: explorer.base[n] for n in explorer.structural}}
            reason = explorer.difference(shallow)
            if reason is not None:
                explorer.refit(shallow, reason)
            uneven = reason is None and shallow != far  # it is the further layers that differ
            raise (Irregular if uneven else LiftError)(
                f"the closed form is not right at {where(far)}: {explorer.difference(far)}"
            )

    def _point(self, shift: int, scale: Mapping[str, int]) -> Point:
        explorer = self.explorer
        deep = {n: explorer.further(n, shift) for n in explorer.structural}
        return explorer.domain.generic_point(shift, deep, scale)

    def _decided_alike(self, point: Point) -> Point:
        """The point, or one near it at which every decision is as it was seen: what breaks one grows, or is as at the base."""
        explorer = self.explorer
        for _ in range(2 * len(explorer.seen)):
            broken = next((guard for guard in explorer.seen if not guard.holds(point)), None)
            if broken is None:
                break
            names = sorted(broken.symbols & set(explorer.base))
            grown = (explorer.domain.moved(point, n, factor * point[n]) for n in names for factor in FACTORS)
            small = (explorer.domain.moved(point, n, explorer.base[n]) for n in names)
            base = {**point, **{n: explorer.base[n] for n in names}}
            point = next((each for each in (*grown, *small) if broken.holds(each)), base)
        return point

    def _evened(self, point: Point) -> Point:
        """The point, or where the model raises for an odd size there, one of its multiples: such alone are in the domain.

        An initialiser that asks for that is not seen to decide it.
        """
        explorer = self.explorer
        for name, factor in itertools.product(explorer.sizes(), MULTIPLES):
            even, odd = ({**point, name: k * point[name]} for k in (factor, factor + 1))
            if any(known[name] % factor for known in explorer.sampled) or not all_hold(explorer.seen, even):
                continue
            if explorer.sampler.works(even) and not explorer.sampler.works(odd):
                explorer.domain.whole = (*explorer.domain.whole, Form.symbol(name) / factor)
                return even
        return point

    def _far(self, name: str) -> int:
        """A far value: not out of proportion where the model took small inputs only (constants grow with them)."""
        explorer = self.explorer
        if explorer.values[name] in (MODERATE, TINY):
            return 4 * explorer.base[name]
        return max(HIGH, 2 * explorer.base[name])
