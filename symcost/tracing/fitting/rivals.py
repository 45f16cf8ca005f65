"""Forms that agree at every sample: do they part beyond?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symcost.formulas.form import Form

FURTHER = 130
"""So far forms are told apart, where no more samples can be had."""


def part(one: Form, other: Form, points: Sequence[Mapping[str, int]]) -> bool:
    """Whether two forms part anywhere from the least point on, along one symbol.

    >>> from symcost.formulas.form import floor
    >>> L, points = Form.symbol("L"), [{"L": 2}, {"L": 3}]
    >>> part(floor(L / 2), L - floor((L + 1) / 2), points), part(floor(L / 2), floor((L + 2) / 4), points)
    (False, True)
    """
    least = {name: min(point[name] for point in points) for name in one.symbols | other.symbols}
    further = ({**points[0], name: low + k} for name, low in least.items() for k in range(FURTHER))
    return any(one.value(point) != other.value(point) for point in further)
