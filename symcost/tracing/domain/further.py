"""The way to the values that were asked for of symbols of which only trials tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symcost.errors import LiftError
from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.special import Special
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.sample import Values
from symcost.tracing.sampling.signals import Turn


@dataclass
class Further:
    """Compares the form with fresh traces on the way to a value of each symbol, and there."""

    explorer: Explorer
    upto: Mapping[str, int]
    far: Mapping[str, Values] = field(default_factory=dict)
    """Single values that are cheap to try, in order."""

    def check(self) -> None:
        """Where the form ends on the way, it is known where: a size has a largest value, a depth layers of another kind."""
        for name, most in self.upto.items():
            step = self.explorer.domain.step_of(name, self.explorer.base)
            self._along(name, way(self.explorer.largest_sample(name), most, step), f"upto={{{name!r}: {most}}}")
        for name, values in self.far.items():
            self._along(name, [value for value in values if value > self.explorer.largest_sample(name)])

    def _along(self, name: str, values: Sequence[int], asked: str = "") -> None:
        explorer = self.explorer
        for value in values:
            point = explorer.alone(name, value)
            if explorer.too_large(point):
                if not asked:
                    return
                raise LiftError(f"{asked} cannot be tried: the model is too large at {where(point)}")
            if explorer.domain.problem(point) is not None or explorer.agrees(point):
                continue
            reason = explorer.difference(point) or ""
            if name in explorer.structural:
                raise Turn(
                    f"{asked or 'further on'}: the closed form is not right at {where(point)}: {reason}",
                    name,
                    explorer.bisect(name, explorer.largest_sample(name), value),
                )
            Special(explorer).ends(name, point, reason)


def way(first: int, last: int, step: int = 1) -> list[int]:
    """Multiples of a step on the way from one value to another, each about an eighth further: the last one is tried.

    >>> way(13, 40)
    [14, 15, 16, 18, 20, 22, 24, 27, 30, 33, 37, 40]
    """
    found, value = [], first // step
    while (value := max(value + 1, value * 9 // 8)) < last // step:
        found.append(value * step)
    return [*found, last // step * step] if last // step > first // step else []
