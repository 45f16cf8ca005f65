"""Special values: where a size equals one of the program's own, the program may be another one there and only there.

A residual block needs no projection where its input is as wide as its output; a table that is used whole needs no slice.
Samples are generic and do not meet such values, so they are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Point
from symcost.tracing.sampling.signals import Branch

if TYPE_CHECKING:
    from symcost.tracing.domain.bounds import Explorer

MULTIPLES = (2, 3)  # of a value, at which the form must be right for the value to be the exception


@dataclass
class Special:
    """Compares the form with the program at single values that a generic sample does not meet."""

    explorer: Explorer

    def check(self, names: Sequence[str], constants: Sequence[int]) -> None:
        """All widths at once as large as each constant; what differs is an exception, or the form is wrong."""
        explorer = self.explorer
        for value in constants if names else ():
            point = dict(explorer.base)
            for name in explorer.domain.dividing_first(names):
                if value % explorer.domain.step_of(name, point) == 0:
                    point = explorer.domain.moved(point, name, value)
            if not self._differs(point):
                continue
            for name in names:
                alone = explorer.alone(name, value)
                reason = self._differs(alone)
                if reason:
                    explorer.refit(alone, reason)
                    if not self.isolated(name, alone[name]):
                        raise Branch(f"the program is another one at {where(alone)}: {reason}", name, alone[name])

    def _differs(self, point: Point) -> str | None:
        """Why the form is wrong at a point inside the domain where the model works, or nothing."""
        explorer = self.explorer
        if explorer.domain.problem(point) is not None or not explorer.sampler.works(point):
            return None
        return explorer.difference(point)

    def isolated(self, name: str, value: int) -> bool:
        """Whether the form is right at multiples of a value at which it is wrong; the value then leaves the domain."""
        explorer = self.explorer
        if not all(explorer.agrees(explorer.alone(name, k * value)) for k in MULTIPLES):
            return False
        known = explorer.domain.other_than.get(name, frozenset())
        explorer.domain.other_than[name] = known | {value}
        return True

    def spanned(self, name: str, last: int) -> int:
        """The next value after the last one that agrees, where all that differs there are steps that move data."""
        explorer = self.explorer
        point = explorer.alone(name, last + 1)
        if not explorer.sampler.works(point):
            return last
        explorer.domain.spans[name] = point[name]
        if explorer.difference(point) is None:
            return point[name]
        del explorer.domain.spans[name]
        return last
