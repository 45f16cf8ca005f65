"""Several depths at once: what two of them decide together shows where both are moved, and on no axis alone."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator

from symcost.formulas.form import Form
from symcost.tracing.sampling.sample import Point

NEAR = 4
"""So many values of each of two depths are all paired: patterns mostly come back after four layers or fewer."""
APART = ((5, 11), (7, 10), (11, 6), (6, 13), (13, 8), (9, 9))
"""Further pairs, as steps from the base: their remainders differ for longer periods too."""


def both_moved(forms: Iterable[Form], depths: Collection[str], base: Point) -> Iterator[Point]:
    """Points at which forms must be right that have two depths in one rounding or clamp."""
    for one, other in sorted(joint(forms, depths)):
        for up, along in (*itertools.product(range(1, NEAR + 1), repeat=2), *APART):
            yield {**base, one: base[one] + up, other: base[other] + along}


def joint(forms: Iterable[Form], depths: Collection[str]) -> set[tuple[str, str]]:
    """Pairs of depths that a rounding or a clamp has in one term.

    >>> from symcost.formulas.form import floor
    >>> a, b = Form.symbol("a"), Form.symbol("b")
    >>> joint([a * b + floor(a / 3)], ["a", "b"]), joint([floor((a + b) / 3)], ["a", "b"])
    (set(), {('a', 'b')})
    """
    found: set[tuple[str, str]] = set()
    for mono in {mono for form in forms for mono in form.terms}:
        term = Form({mono: 1})
        if not term.is_polynomial:
            found.update(itertools.combinations(sorted(term.symbols & set(depths)), 2))
    return found
