"""What is seen of a program's decisions: by its sizes, and by the numbers of its layers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.landmarks import landmarks as read
from symcost.tracing.evidence.frames.watch import Observations, watch
from symcost.tracing.evidence.guard import Guard, Side
from symcost.tracing.evidence.normal import side_text
from symcost.tracing.evidence.record import Recording, record
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.program.capture import PointError
from symcost.tracing.sampling.depth import DEEPEST
from symcost.tracing.sampling.sample import Point

DEEPER = (3, 5)
"""How many more layers than at the base the watched programs have, where the model takes them."""


@dataclass(frozen=True)
class Behind:
    """One side of a condition on rounded numbers: each is what its formula gives."""

    side: Side
    recording: Recording = field(compare=False)

    @property
    def symbols(self) -> frozenset[str]:
        """The model's own symbols in it."""
        return self.recording.behind(self.side.symbols)

    def value(self, at: Mapping[str, int]) -> Any:
        """Its value at integers."""
        return self.side.value(self.recording.at(at))

    def __str__(self) -> str:
        named = {made.symbol: made for made in self.recording.roundings if made.symbol in self.side.symbols}
        return f"{side_text(self.side)}" + "".join(f" with {name} = {made}" for name, made in named.items())


def decided(seen: Recording) -> list[Guard]:
    """What a program decides by its sizes: the conditions that say more than that sizes are not 1."""
    found = []
    for guard in seen.guards:
        if _about_one(guard):
            continue
        whole = guard.symbols <= set(seen.base)
        sides = (guard.left, guard.right) if whole else (Behind(guard.left, seen), Behind(guard.right, seen))
        found.append(replace(guard, left=sides[0], right=sides[1]))
    return found


def _about_one(guard: Guard) -> bool:
    """Whether it tells sizes of 0 or 1 from all others."""
    number = getattr(guard.right, "number", None)
    if not isinstance(number, int):
        return False
    return (guard.op == "!=" and number <= 1) or (guard.op == ">=" and number <= 2)


def recorded(sampler: Sampler, base: Point, structural: Sequence[str], depths: Mapping[str, Landmarks]) -> Recording:
    """One trace with symbolic sizes, of a program so deep that every kind of layer is in it where the model takes that."""
    deep = {name: max(base[name], min(depths[name].reach, DEEPEST)) for name in structural if name in depths}
    point = {**base, **deep}
    return record(sampler.model, point if sampler.works(point) else base, structural)


def landmarks(sampler: Sampler, base: Point, names: Sequence[str]) -> dict[str, Landmarks]:
    """With what the program compares the numbers of its layers, by the symbol that is their number."""
    if not names:
        return {}
    points = [{**base, **{name: base[name] + further for name in names}} for further in DEEPER]
    found = [seen for point in points if (seen := _watched(sampler, point)) is not None]
    return read(found or [watch(lambda: sampler.anew(base), base)], names)


def _watched(sampler: Sampler, point: Point) -> Observations | None:
    """What is seen of the model's trace at a point, where it can be traced there."""
    with contextlib.suppress(PointError):
        return watch(lambda: sampler.anew(point), point)
    return None
