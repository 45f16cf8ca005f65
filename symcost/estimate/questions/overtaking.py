"""Where one formula overtakes another in one symbol, found among integers: what lies between is bounded, never skipped.

The difference is bounded over ranges of the symbol. Where its sign is certain a range is done; where it is certified to move one
way the change of its sign is found by halving; any other range is cut in two, the upper half first.
"""

from __future__ import annotations

from typing import Any

from symcost.errors import SymcostError
from symcost.formulas.prove.boxed import Boxed
from symcost.formulas.prove.halving import last_good
from symcost.formulas.symbols import evaluate

MOST_BOXES = 5_000


def last_otherwise(difference: Any, name: str, low: int, high: int) -> tuple[int, int | None]:
    """The sign of a formula at ``high``, and the largest integer from ``low`` on where it has another one, if there is one.

    Nothing is looked for where it is 0 at ``high``.

    Raises :class:`symcost.SymcostError` where too many ranges would have to be looked at.

    >>> from symcost.formulas.symbols import parse
    >>> last_otherwise(parse("floor(n/3)**3 - 40*n"), "n", 1, 1000)
    (1, 35)
    >>> last_otherwise(parse("n + 1"), "n", 1, 1000)
    (1, None)
    """
    search = _Overtaking(difference, name, high)
    return search.sign, search.last(low, high) if search.sign else high


class _Overtaking:
    def __init__(self, difference: Any, name: str, high: int) -> None:
        self.difference, self.name, self.looked_at = difference, name, 0
        self.sign = self.at(high)

    def at(self, value: int) -> int:
        """The sign at an integer."""
        there = evaluate(self.difference, {self.name: value})
        return (there > 0) - (there < 0)

    def last(self, low: int, high: int) -> int | None:
        """The largest integer of a range where the sign is another one."""
        waiting = [(low, high)]
        while waiting:
            low, high = waiting.pop()
            self.looked_at += 1
            if self.looked_at > MOST_BOXES:
                raise SymcostError(
                    f"too many ranges of {self.name} cannot be told by their bounds: give a narrower one, within=(low, high)"
                )
            boxed = Boxed(self.difference, {self.name: (low, high)})
            least, most = boxed.bounds()
            certain = (least > 0) - (most < 0) if least > 0 or most < 0 else 0 if least == most == 0 else None
            if certain == self.sign:
                continue
            if certain is not None:
                return high
            if boxed.direction(self.name) is None and low < high:
                middle = (low + high) // 2
                waiting += [(low, middle), (middle + 1, high)]
            elif (found := self._halved(low, high)) is not None:
                return found
        return None

    def _halved(self, low: int, high: int) -> int | None:
        """The same in a range over which the formula moves one way."""
        if self.at(high) != self.sign:
            return high
        if self.at(low) == self.sign:
            return None
        return last_good(low, high, lambda value: self.at(value) != self.sign)
