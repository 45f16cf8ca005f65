"""What a search of plans asks of one form of a table on so many chips: formulas, conditions, and where they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symcost.devices import Device
from symcost.estimate.bytes.training import room
from symcost.estimate.questions.constraint import check_names, measured
from symcost.estimate.questions.quantities import vocabulary
from symcost.estimate.questions.setting import setting
from symcost.formulas.conditions import condition, names
from symcost.formulas.symbols import parse, symbol
from symcost.sweeps.plans.room import CHIPS, MICRO, STEP, Room
from symcost.sweeps.plans.variants import Variant
from symcost.sweeps.plans.whole import Unfolded
from symcost.sweeps.question.space import Space
from symcost.sweeps.question.uncomputed import outside

MEMORY = "device_bytes"
NUMBERS = ("step_time", MEMORY, "communication")
"""What is told of every plan."""


@dataclass(frozen=True)
class PlanPart:
    """One form of a table on so many chips: formulas, all of its meshes and steps, and the conditions on them.

    ``holds``: where the form does; ``asked``: what the plans are to meet; ``fits``: that all has room on the device.
    """

    formulas: Mapping[str, Any]
    every: Space
    holds: Sequence[Any]
    asked: Sequence[Any]
    fits: Sequence[Any]

    def space(self, *conditions: Sequence[Any]) -> Space:
        """The plans of the part that meet conditions."""
        return Space(self.every.axes, where=[*self.every.where, *(one for several in conditions for one in several)])

    @property
    def feasible(self) -> Space:
        """The plans that meet all conditions."""
        return self.space(self.asked, self.fits, self.holds)


@dataclass(frozen=True)
class PlanQuestion:
    """What is asked of all plans: a device, an optimizer, conditions, whether all has room, and the objective.

    ``trained``: whether the tables are of training, whose bytes on a device are known.
    """

    on: Device
    optimizer: str
    dtype: str | None
    where: Sequence[str]
    fits: bool
    minimize: str
    trained: bool = True

    @property
    def shown(self) -> list[str]:
        """The numbers that are told of a plan."""
        return [*dict.fromkeys((*(name for name in NUMBERS if self.trained or name != MEMORY), self.minimize))]

    def parts(self, variant: Variant, plans: Room) -> Iterator[PlanPart]:
        """For each form of the table, of axes of one device too, and each number of chips: formulas, and the space of plans."""
        costs = variant.costs
        for side in (*costs.sides, *costs.shorter):
            place = plans.alone(side.parts.sharded.at_one)
            options = {"device": self.on, "optimizer": self.optimizer, "zero": variant.zero, MICRO: MICRO}
            asked = setting(side, options if self.dtype is None else {**options, "dtype": self.dtype}, checked=True)
            quantities, sizes = vocabulary(side), (*side.symbols, CHIPS, STEP, MICRO)
            told = [(text, names(condition(text, measured))) for text in self.where]
            told += [(text, {str(s) for s in parse(text).free_symbols}) for text in self.shown]
            for text, used in told:
                check_names(used, text, sizes, side.point, quantities)
            every = {name for _, used in told for name in used}
            numbers = {
                name: sympy.sympify(quantities[name](asked), strict=True) for name in sorted(every & {*quantities})
            }
            for chips in place.chips:
                if place.meshes(chips):
                    yield self._on_chips(side, place, numbers, chips)

    def _on_chips(self, side: Any, place: Room, numbers: Mapping[str, Any], chips: int) -> PlanPart:
        domain = side.parts.sharded.table.domain
        fixed = {symbol(name): sympy.Integer(value) for name, value in place.fixed.items()}
        unfolded = Unfolded(place.mesh, place.meshes(chips))
        formulas = {name: unfolded(number.xreplace(place.examples).xreplace(fixed)) for name, number in numbers.items()}
        known = {name: formula.xreplace(fixed) for name, formula in {**place.examples, **fixed}.items()}
        sizes = {**{str(name): formula for name, formula in known.items()}, **side.point}
        room_left = [f"{MEMORY} <= {room(self.on)}"] if self.fits else []
        space = place.space(chips, [])
        left_out = outside(
            domain, space.axes, {name: sympy.sympify(value, strict=True) for name, value in sizes.items()}
        )
        return PlanPart({**formulas, **sizes}, space, [*domain.conditions(), *left_out], self.where, room_left)
