"""What a search of plans found: the best ones, how many fit, the front of time and memory, and until which batch each fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from symcost.costs.exact import value_at
from symcost.devices import Device
from symcost.errors import SpaceError, SymcostError
from symcost.estimate.pod.step import StepTime, step_time
from symcost.estimate.questions.solve import Solution, solve
from symcost.sweeps.answers.front import front
from symcost.sweeps.plans.room import CHIPS, MICRO, Room
from symcost.sweeps.plans.variants import Variant
from symcost.views import view

RATE, BOUND = "tokens_per_second", "bound"


@dataclass(frozen=True)
class FoundPlan:
    """One plan: its variant, the size of every symbol in one run of the program, and its exact numbers by name."""

    variant: Variant
    at: Mapping[str, int]
    """Every symbol of the table: sizes of the model and the mesh, examples of one run."""
    row: Mapping[str, Any]
    """The columns: axes, then numbers."""

    @property
    def costs(self) -> Any:
        """The table at this plan."""
        return self.variant.costs.subs(**self.at)


@dataclass(frozen=True)
class NotJudged:
    """Why compilers could not be asked about a plan: that is no pass."""

    reason: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, repr=False)
class Plans:
    """Plans of so many chips: ``best`` first, then the next ones; true when one is feasible.

    ``count`` of ``size`` are feasible, found in ``seconds``. ``front``: the plans whose time nothing beats without more
    memory, the fastest first. ``verdicts``: what compilers say of the first ones, where they were asked.
    """

    found: tuple[FoundPlan, ...]
    count: int
    size: int
    seconds: float
    objective: str
    device: str
    options: Mapping[str, Any]
    batch: str = ""
    """The symbol of the examples of one run."""
    fits: bool = True
    missed: str = ""
    """How many plans are not feasible, by what they miss; empty where all are, or there are too many to count."""
    assumed: str = ""
    """In which number types the times are, and where these come from."""
    left_out: str = ""
    """Which axes are never of one device, as their table says nothing of that; empty where there are none."""
    front: tuple[FoundPlan, ...] = ()
    verdicts: tuple[Any, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[FoundPlan]:
        return iter(self.found)

    def __getitem__(self, place: int) -> FoundPlan:
        return self.found[place]

    @property
    def best(self) -> FoundPlan:
        """The first plan. Errors: none is feasible."""
        if not self.found:
            raise SpaceError("no plan is feasible: give more chips, smaller batches, or leave out conditions")
        return self.found[0]

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """The columns of every plan."""
        return [each.row for each in self.found]

    def largest_batch(self, place: int = 0) -> Solution:
        """The largest batch of one run with which a plan fits the device: it then fits with every smaller one that its axes divide.

        Proved by bisection, as the bytes never fall with the batch.

        Raises:
            SymcostError: where that is not certified, no batch counts, or it fits with no batch.
        """
        if not self.batch:
            raise SymcostError("no symbol counts the examples of a step: give batch={'B': ...}")
        one = self.found[place]
        options = {**self.options, "zero": one.variant.zero}
        given = {name: value for name, value in one.at.items() if name != self.batch}
        return solve(
            one.variant.costs.side_at(one.at), "fits", largest=self.batch, given=given, on=self.device, dtype=options.get("dtype"),
            optimizer=options["optimizer"], zero=options["zero"],
        )  # fmt: skip

    def __str__(self) -> str:
        return view("plans as text")(self)

    def __repr__(self) -> str:
        return f"<Plans {len(self.found)} of {self.count:,} feasible, by {self.objective} on {self.device}>"

    def _repr_html_(self) -> str:
        return view("plans as html")(self)


def found_plan(
    variant: Variant, place: Room, told: Mapping[str, Any], tokens: Any, row: Mapping[str, Any]
) -> FoundPlan:
    """A plan of a row of an answer; ``told`` stands before its columns, and behind them ``tokens`` of all its runs a second."""
    own = {name: row.get(name, 1) for name in (CHIPS, *place.mesh)}  # an axis of one device is no column of its own
    own |= {name: row.get(name, values[0]) for name, values in place.axes.items()}
    numbers, at = {name: value for name, value in row.items() if name not in own}, place.run(own)
    if tokens is not None:
        made = value_at(variant.costs, tokens, at, "the tokens of a run")
        numbers[RATE] = made * own.get(MICRO, 1) / Fraction(str(row["step_time"]))
    return FoundPlan(variant, at, {**told, **own, **numbers})


@dataclass
class StepBounds:
    """What bounds the steps of plans on a device, the times of each form of a table worked out once."""

    on: Device
    dtype: str | None
    _steps: dict[int, tuple[Any, StepTime]] = field(default_factory=dict)

    def told(self, plan: FoundPlan) -> FoundPlan:
        """The plan with what bounds its step among its columns."""
        side = plan.variant.costs.side_at(plan.at)
        if id(side) not in self._steps:
            self._steps[id(side)] = side, step_time(side, self.on, self.dtype)  # a side that is kept keeps its id
        return replace(plan, row={**plan.row, BOUND: self._steps[id(side)][1].bound_at(plan.at)})


def undominated(plans: Sequence[FoundPlan], names: Sequence[str]) -> tuple[FoundPlan, ...]:
    """Of plans those that no other one beats in one number and equals in the rest; of equals the first."""
    columns = [np.array([plan.row[name] for plan in plans], dtype=object) for name in names]
    return tuple(plans[place] for place in front(columns))
