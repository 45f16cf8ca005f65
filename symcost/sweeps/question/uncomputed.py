"""Decisions of a program that no condition can say, such as roundings of floats: in a space they are asked point by point."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symcost.costs.evidence import Decision
from symcost.costs.parts import Conditions
from symcost.errors import SpaceError
from symcost.formulas.symbols import evaluate

MOST_POINTS = 20_000
"""Points of the axes that one decision is asked at."""
MOST = 256
"""Conditions that are made of the points that are outside."""


def outside(domain: Conditions, axes: Mapping[str, Sequence[int]], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Conditions that leave out the points of a space at which the program was seen to decide otherwise.

    ``given``: formulas of symbols that are no axes.

    Raises:
        SpaceError: where they would be too many.
    """
    conditions: list[str] = []
    for decision in domain.uncomputed:
        names = sorted({axis for name in decision.symbols for axis in _behind(name, axes, given)})
        size = math.prod(len(axes[name]) for name in names)
        if size > MOST_POINTS:
            raise SpaceError(
                f"{decision} computes with floats, which a sweep asks point by point at up to {MOST_POINTS:,} points: "
                f"{', '.join(names)} have {size:,}, give them fewer values"
            )
        conditions += [text for text in _left_out(domain, decision, names, axes, given) if text not in conditions]
        if len(conditions) > MOST:
            raise SpaceError(
                f"{decision} computes with floats, and is another one at more than {MOST} points of the axes "
                f"{', '.join(names)}: give them fewer values, or samples={{...}} and steps={{...}} when the model is traced"
            )
    return tuple(conditions)


def _left_out(domain: Conditions, decision: Decision, names: Sequence[str], axes: Mapping[str, Sequence[int]],
              given: Mapping[str, Any]) -> Iterator[str]:  # fmt: skip
    for values in itertools.product(*(axes[name] for name in names)):
        at = dict(zip(names, values, strict=True))
        point = {name: _value(name, at, given) for name in decision.symbols if name in at or name in given}
        if domain.decides_otherwise(point):
            yield " or ".join(f"{name} != {value}" for name, value in at.items()) or "0 == 1"


def _behind(name: str, axes: Mapping[str, Sequence[int]], given: Mapping[str, Any]) -> set[str]:
    """The axes that a symbol's value follows from."""
    if name in axes:
        return {name}
    if name not in given:
        return set()  # a symbol without a value: whoever resolves the formulas says so
    return {axis for each in given[name].free_symbols for axis in _behind(str(each), axes, given)}


def _value(name: str, at: Mapping[str, int], given: Mapping[str, Any]) -> Any:
    if name in at:
        return at[name]
    return evaluate(given[name], {str(s): _value(str(s), at, given) for s in given[name].free_symbols})
