"""Multiples of a power of two, where programs like to branch: padding to a chunk that is then nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from symcost.tracing.domain.explorer import Explorer
from symcost.tracing.domain.special import Special
from symcost.tracing.program.spec import where
from symcost.tracing.sampling.signals import Branch

ROUND = 256


@dataclass
class RoundSizes:
    """Compares the form with the program where all sizes are such multiples."""

    explorer: Explorer

    def check(self) -> None:
        """Multiples of a power of two, where programs like to branch (padding to a chunk that is then nothing)."""
        explorer = self.explorer
        point = {n: self._rounded(n) for n in explorer.sizes()}
        point.update({n: explorer.further(n, 0) for n in explorer.structural})
        if explorer.outside(point) or explorer.agrees(point):
            return None
        for name in explorer.sizes():
            alone = explorer.alone(name, self._rounded(name))
            reason = explorer.difference(alone) if not explorer.outside(alone) else None
            if reason is not None and not explorer.sampler.works(alone):
                continue  # the model raises there: a matter of its own constraints
            if reason is not None:
                explorer.refit(alone, reason)
                if Special(explorer).isolated(name, alone[name]):
                    return self.check()
                raise Branch(f"the program is another one at {where(alone)}: {reason}", name, alone[name])
        return None

    def _rounded(self, name: str) -> int:
        """A multiple of 256 (or of the symbol's own step) inside its bounds, if there is one."""
        explorer = self.explorer
        step = math.lcm(ROUND, explorer.domain.steps.get(name, 1))
        for form in explorer.domain.whole:
            if name in form.symbols:
                step = math.lcm(step, math.gcd(*explorer.values[name]))
        least = -(-max(explorer.domain.at_least.get(name, 1), explorer.base[name]) // step) * step
        while least in explorer.domain.other_than.get(name, ()):
            least += step
        high = explorer.domain.at_most.get(name)
        return least if high is None or least <= high else explorer.base[name]
