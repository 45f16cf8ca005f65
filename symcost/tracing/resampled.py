"""Where the symbols are sampled that change the program: past what layers are compared with, at digits, at steps."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.tracing.attempt import Attempt
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.seen import landmarks, varies
from symcost.tracing.sampling.depth import DEEPEST, LONGEST, beyond, depths, lowest, tells
from symcost.tracing.sampling.halving import OCTAVES, SECOND, consecutive, halves, suspects
from symcost.tracing.sampling.sample import LARGE, SMALL
from symcost.tracing.sampling.signals import Turn

MAX_PERIOD = 4
BEYOND = (17, 21, 22, 27)
"""Structural values beyond the consecutive ones, to check what was fitted to those."""


class Resampled(Attempt):
    """An attempt that samples elsewhere where the last one found no form."""

    def _watch(self) -> None:
        """Sample past everything that the program was seen to compare the numbers of its layers with."""
        self.landmarks = landmarks(self.sampler, self.base, self.structural)
        self.compared = {n: seen for n, seen in self.landmarks.items() if tells(seen) and n not in self.fixed}
        self._deepen()

    def _deepen(self) -> None:
        """Sample the depths that the comparisons of layers' numbers ask for."""
        self.values.update({name: depths(seen) for name, seen in self.compared.items()})

    def _everywhere(self) -> bool:
        """Sample every depth of two periods, once, where their ends do not tell which layers of a period are others."""
        every = {name: depths(seen, LONGEST) for name, seen in self.compared.items()}
        more = {name: values for name, values in every.items() if len(values) > len(self.values[name])}
        self.values.update(more)
        self.extra.clear()
        return bool(more)

    def _past(self, turn: Turn) -> bool:
        """Sample on both sides of a depth from which on layers are other ones, once."""
        seen = self.compared.get(turn.name, self.landmarks.get(turn.name, Landmarks()))
        if turn.value in seen.thresholds or turn.name in self.fixed:
            return False
        self.compared[turn.name] = seen.joined(Landmarks(thresholds=frozenset({turn.value})))
        self.values[turn.name] = depths(self.compared[turn.name])
        self.extra.clear()
        return self.sampler.works(self.base)

    def _beyond(self) -> bool:
        """Sample above every value that is compared, once, where numbers below and above follow no one line."""
        if self._above is not None or any(lowest(seen) > DEEPEST for seen in self.compared.values()):
            return False
        self._above = dict(self.compared)
        for name, seen in self._above.items():
            self.compared[name], self.values[name] = beyond(seen)
        self.extra.clear()
        return bool(self._above) and self.sampler.works(self.base)

    def _enlarged(self) -> bool:
        """Sample the parameters inside roundings at larger values, once: small ones may be clamped or corrected."""
        names = [n for n in self._rounded_names if n in self.sizes and n not in (*self.fixed, *self.choice.inputs)]
        moved = [n for n in names if self.values[n] is not LARGE and self.choice.steady(n, LARGE)]
        self.values.update(dict.fromkeys(moved, LARGE))
        return bool(moved)

    def _digits(self) -> bool:
        """Sample symbols that are halved again and again at all sizes of a few digits, then at larger ones, or of more digits."""
        free = [name for name in self.structural if name not in (*self.fixed, *self.halved)]
        small = [name for name in self.halved if self.values[name][0] < SECOND]
        halved = [name for name in free if halves(self.sampler, self.base, name)]
        return self._halve(halved or small) or self._widen()

    def _halve(self, names: Sequence[str]) -> bool:
        """Sample symbols as what is halved again and again."""
        for name in names:
            again = name in self.halved
            self.values[name] = consecutive(self.sampler, self.base, name, 2 * self.values[name][0] if again else 1)
            self.compared.pop(name, None)
        self.halved += [name for name in names if name not in self.halved]
        self.choice.structural += [name for name in names if name not in self.structural]
        self.extra.clear()
        return bool(names)

    def _widen(self) -> bool:
        """Sample what is halved at sizes of more digits too, once: what each stage doubles is told by as many stages."""
        names = [name for name in self.halved if not {*OCTAVES} <= {*self.values[name]}]
        self.values.update({name: consecutive(self.sampler, self.base, name, octaves=OCTAVES) for name in names})
        self.extra.clear()
        return bool(names)

    def _octaves(self) -> bool:
        """Sizes whose decisions turn between a number and its double, or that are counted by digits: are they halved?"""
        found = suspects(self.recording, self.guards, self.base)
        free = [name for name in self.sizes if name in found and name not in self.fixed]
        return self._halve([name for name in free if halves(self.sampler, self.base, name)])

    def _counting(self) -> bool:
        """Sizes of which plain numbers are made by which layers are counted, as by ``range(L // 2)``, are sampled as depths are."""
        seen = self.recording
        own = {name for pin in seen.pins if not (pin.by_jax or pin.key or pin.of_array) for name in pin.symbols}
        told = {name for pin in seen.texts for name in pin.symbols}  # any value of those may be another program
        free = [name for name in self.sizes if name in own - told and name not in self.fixed]
        few = [name for name in free if all(self.sampler.works({**self.base, name: value}) for value in SMALL[:2])]
        least = {**self.base, **dict.fromkeys(few, SMALL[0])}
        found = landmarks(self.sampler, least, few)
        counted = [name for name in few if found[name].saw_index and varies(self.sampler, least, name)]
        self.values.update(dict.fromkeys(counted, SMALL))
        self.choice.structural += counted
        return bool(counted)

    def _pattern(self) -> bool:
        """Sample consecutive values of the structural symbols, once: every second or sixth layer may be another one."""
        free = [n for n in self.structural if n not in self.fixed and self.values[n] == SMALL]
        if self._patterned or self._period > 1 or len(free) < len(self.structural):
            return False
        self._patterned = True
        self.values.update(dict.fromkeys(free, (*SMALL, *BEYOND)))
        self.extra.clear()
        return True

    def _progression(self) -> bool:
        """Sample the structural symbols at every second, third or fourth value: layers may alternate."""
        self._period, self._patterned = self._period + 1, False
        free = [n for n in self.structural if n not in self.fixed and n not in self.compared]
        if self._period > MAX_PERIOD or not free:
            return False
        self.values.update({name: tuple(self._period * k for k in range(1, 9)) for name in free})
        self.extra.clear()
        return self.sampler.works(self.base)
