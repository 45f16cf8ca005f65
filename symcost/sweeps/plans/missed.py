"""What plans that are not feasible miss: how many lie outside of where forms hold, miss a condition, or have no room."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symcost.reading.numerals import so_many
from symcost.sweeps.plans.asked import PlanPart
from symcost.sweeps.plans.room import Room
from symcost.sweeps.verbs import count

MOST = 1_000_000
"""Combinations of sizes of one part, above which nothing is counted beside what is feasible."""


@dataclass
class Missed:
    """Counts of the plans on a device: of all there are, those of which a form holds, those that meet the conditions too."""

    device: str
    all: int = 0
    held: int = 0
    asked: int = 0
    fit: int = 0
    known: bool = True

    def add_room(self, place: Room) -> None:
        """Count all plans of a table: meshes of the chips, and steps whose runs are alike."""
        for chips in place.chips:
            if place.meshes(chips):
                space = place.space(chips, [])
                self._checked(space.size)
                fixed = {name: sympy.Integer(value) for name, value in place.fixed.items()}
                self.all += int(count(fixed, space)) if self.known else 0

    def add(self, part: PlanPart, fit: int) -> None:
        """Count the plans of a part by what they meet; ``fit`` are feasible."""
        self._checked(part.every.size)
        self.fit += fit
        if self.known:
            self.held += int(count(part.formulas, part.space(part.holds)))
            self.asked += int(count(part.formulas, part.space(part.holds, part.asked)))

    def _checked(self, size: int) -> None:
        self.known = self.known and size <= MOST

    def __str__(self) -> str:
        reasons = {
            "outside of where the forms hold (sizes that axes do not divide, or were not tried)": self.all - self.held,
            "that miss the conditions": self.held - self.asked,
            f"without room on {self.device}": self.asked - self.fit,
        }
        told = [f"{number:,} {why}" for why, number in reasons.items() if number > 0]
        return f"{so_many(self.all, 'plan')} with as many chips: {', '.join(told)}" if self.known and told else ""
