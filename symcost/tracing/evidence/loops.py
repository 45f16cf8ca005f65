"""What loops come to that halve a size, or double a number up to it: how often they do, what is left, what it grows to.

``while r > 4: r //= 2`` is known by the octave in which its line decides alike, and ``while r % 2 == 0: r //= 2`` by its remainder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from symcost.formulas.form import Form, as_form, floor
from symcost.formulas.functions import logarithm, odd_halves, positive_part, power_of_two
from symcost.tracing.evidence.guard import Guard
from symcost.tracing.evidence.normal import is_remainder

MOST_LEFT = 512
"""What a loop leaves is no larger: it ends when a size is small."""
LOOKED_AT = 64
"""So many values tell a remainder by 2 from others."""


def loops(guards: Iterable[Guard]) -> list[Guard]:
    """Decisions by one size that are made where a loop goes on or ends: bounds, and whether it is even."""
    return [each for each in guards if each.place.text.startswith("while ") and (_bounds(each) or _parity(each))]


def looped(guards: Iterable[Guard]) -> list[str]:
    """Symbols that loops go on or end by."""
    return sorted({name for each in loops(guards) for name in each.symbols})


def halved(guards: Iterable[Guard]) -> list[Form]:
    """How often loops halve a size, what is left of it, and what is doubled, for every number at which they may end.

    >>> from symcost.tracing.evidence.guard import Place
    >>> r = Form.symbol("r")
    >>> halved([Guard(r, "<=", Form.constant(2), Place("m.py", 3, "while r > 2:"))])[:2]
    [Max(0, flog2(r/3) + 1), floor(r/pow2(Max(0, flog2(r/3) + 1)))]
    """
    found: list[Form] = []
    for each in loops(guards):
        (name,) = each.symbols
        size = Form.symbol(name)
        if _bounds(each):
            found += (form for number in _ends(each) for form in _left_of(size, number))
        else:
            found += _odd(size)
    return list(dict.fromkeys(found))


def turns(guards: Iterable[Guard], base: Mapping[str, int]) -> list[dict[str, int]]:
    """Points on both sides of every number at which a loop may end: there it is seen at which it does."""
    found = {(name, end + near) for each in loops(guards) for name in each.symbols & set(base) if _bounds(each)
             for end in _ends(each) for near in (-1, 0) if end + near > 0}  # fmt: skip
    return [{**base, name: value} for name, value in sorted(found)]


def _bounds(each: Guard) -> bool:
    """Whether a size itself is compared with a number."""
    return (
        any(each.left == Form.symbol(name) for name in each.symbols)
        and each.number is not None
        and each.op in (">=", "<=")
    )


def _parity(each: Guard) -> bool:
    """Whether a size, or what is left of it after some halves, is even or odd."""
    remainder = len(each.symbols) == 1 and is_remainder(each.left)
    return remainder and {each.left.value(dict.fromkeys(each.symbols, v)) for v in range(1, LOOKED_AT)} <= {0, 1}


def _ends(bound: Guard) -> Iterator[int]:
    """The numbers at which a loop may end that goes on, or ends, as a bound tells: it and its halves."""
    number = bound.number or 0
    beyond = number if bound.op == ">=" else number + 1
    for above in (beyond, beyond - 1):  # rounded down, rounded up
        while above > 0:
            if above <= MOST_LEFT:
                yield above
            if above % 2:
                break
            above //= 2


def _left_of(size: Form, number: int) -> Iterator[Form]:
    """What halving comes to that goes on from ``number`` upwards, rounded down, or above it, rounded up; and what is doubled."""
    down = positive_part(logarithm("flog2", size / number) + 1)
    yield from (down, floor(size / power_of_two(down)), power_of_two(down))
    up = positive_part(logarithm("clog2", size / number))
    yield from (up, -floor(-size / power_of_two(up)), power_of_two(up))


def _odd(size: Form) -> Iterator[Form]:
    """How often a size is even when it is halved, and its largest odd divisor."""
    often = odd_halves(size - 1) - odd_halves(size) + as_form(1)
    yield from (often, size / power_of_two(often))
