"""Closed forms of few points: sizes that are products of powers of symbols, told apart by the primes of their ratios.

Where the symbols of two points stand in ratios that are independent of each other, ``x`` three times as large and ``y`` five
times, a number that becomes 45 times as large is ``c x^2 y`` and nothing else of the kind. Further sizes that are known (sums)
may be a factor, and a small number or a symbol may be added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import sympy

from symcost.formulas.form import Form
from symcost.tracing.fitting.features import column_of
from symcost.tracing.fitting.solve import Column
from symcost.tracing.sampling.sample import Point, Values

ADDED = (1, -1, 2, -2)
"""Numbers that may be added to a product."""
LEAST_POINTS, MOST_POINTS, MOST_WAYS = 3, 5, 60
"""So many points tell the symbols apart, or none do; and among so many they are looked for."""
MOST_PARTS = 64
"""A product is taken into so many parts at most: what is more is an accident of few points."""
MOST_FACTORS = 64
"""Known sizes that may be a factor."""


class Monomials:
    """Products of powers of symbols, by their values at a few points; ``factors`` are sizes that may be among the factors."""

    def __init__(
        self, symbols: Sequence[str], points: Sequence[Mapping[str, int]], factors: Iterable[Form] = ()
    ) -> None:
        self.symbols, self.points = tuple(symbols), list(points)
        self._ratios = _Ratios([tuple(point[name] for point in points) for name in symbols])
        sums = (form for form in dict.fromkeys(factors) if len(form.terms) > 1 or not form.is_polynomial)
        made = ((column_of(form, points), form) for form in sums if form.symbols <= set(symbols))
        self._factors = [(column, form) for column, form in made if column is not None and all(column)][:MOST_FACTORS]

    @property
    def tells(self) -> bool:
        """Whether these points tell all symbols apart."""
        return self._ratios.rank == len(self.symbols)

    def form(self, column: Column) -> Form | None:
        """The form that has these values at the points, if one of the kind does."""
        if len(set(column)) == 1:
            return Form.constant(column[0])
        known = next((form for values, form in self._factors if values == column), None)
        return known or next(self._forms(column), None)

    def _forms(self, column: Column) -> Iterator[Form]:
        if (plain := self._product(column)) is not None:
            yield plain
        for values, factor in self._factors:
            rest = tuple(Fraction(value, by) for value, by in zip(column, values, strict=True))
            if (product := self._product(rest)) is not None:
                yield product * factor
        for added in ADDED:
            if (product := self._product(tuple(value - added for value in column))) is not None:
                yield product + added
        for name in self.symbols:
            rest = tuple(value - point[name] for value, point in zip(column, self.points, strict=True))
            for added in (0, *ADDED):
                product = self._product(tuple(value - added for value in rest))
                if product is None or set(product.terms.values()) != {1}:
                    continue  # a part of it is an accident of few points
                yield product + Form.symbol(name) + added

    def _product(self, column: Sequence[int | Fraction]) -> Form | None:
        powers = self._ratios.powers(column) if all(value > 0 for value in column) else None
        if powers is None:
            return None
        form = Form.constant(1)
        for name, power in zip(self.symbols, powers, strict=True):
            form = form * Form.symbol(name) ** power
        times = Fraction(column[0]) / Fraction(form.value(self.points[0]))
        return form * times if times.denominator <= MOST_PARTS else None


class _Ratios:
    """The ratios of columns to their first values, as powers of primes: independent rows of them, and the inverse of these."""

    def __init__(self, columns: Sequence[Column]) -> None:
        ratios = [_ratios(column) for column in columns]
        numbers = {number for each in ratios for ratio in each for number in ratio.as_integer_ratio()}
        self._primes = sorted({prime for number in numbers for prime in sympy.primefactors(number)})
        self._rows = list(zip(*(_exponents(each, self._primes)[0] for each in ratios), strict=True))
        self._size = len(columns)
        self._chosen, self._inverse = _independent(self._rows, self._size)

    @property
    def rank(self) -> int:
        """How many of the columns are told apart."""
        return len(self._chosen)

    def powers(self, column: Sequence[int | Fraction]) -> list[int] | None:
        """The powers of the columns whose product stands in the same ratios as a column, if there are some and they are whole."""
        right, rest = _exponents(_ratios(column), self._primes)
        if self.rank < self._size or any(ratio != 1 for ratio in rest):
            return None
        powers = [sum(a * right[row] for a, row in zip(line, self._chosen, strict=True)) for line in self._inverse]
        if any(Fraction(power).denominator != 1 for power in powers):
            return None
        whole = list(map(int, powers))
        rows = zip(self._rows, right, strict=True)
        return whole if all(sum(a * b for a, b in zip(row, whole, strict=True)) == r for row, r in rows) else None


def _ratios(column: Sequence[int | Fraction]) -> list[Fraction]:
    return [Fraction(value) / Fraction(column[0]) for value in column[1:]]


def _exponents(ratios: Sequence[Fraction], primes: Sequence[int]) -> tuple[list[int], list[Fraction]]:
    """How often each prime is in each ratio, and what is left of the ratios."""
    found, rest = [], []
    for ratio in ratios:
        above, below = ratio.numerator, ratio.denominator
        for prime in primes:
            times = 0
            while above % prime == 0:
                above, times = above // prime, times + 1
            while below % prime == 0:
                below, times = below // prime, times - 1
            found.append(times)
        rest.append(Fraction(above, below))
    return found, rest


def _independent(rows: Sequence[Sequence[int]], size: int) -> tuple[list[int], list[list[Fraction]]]:
    """Rows that are independent, and the inverse of their matrix where there are as many as columns."""
    chosen: list[int] = []
    leads: list[int] = []
    reduced: list[list[Fraction]] = []  # with a unit matrix beside the rows, which becomes the inverse
    for number, row in enumerate(rows):
        if len(chosen) == size:
            break
        line = [*map(Fraction, row), *(Fraction(place == len(chosen)) for place in range(size))]
        for place, other in zip(leads, reduced, strict=True):
            line = [a - line[place] * b for a, b in zip(line, other, strict=True)]
        lead = next((place for place in range(size) if line[place]), None)
        if lead is not None:
            line = [a / line[lead] for a in line]
            reduced = [[a - other[lead] * b for a, b in zip(other, line, strict=True)] for other in reduced]
            chosen, leads, reduced = [*chosen, number], [*leads, lead], [*reduced, line]
    return chosen, [line[size:] for _, line in sorted(zip(leads, reduced, strict=True))]


def told_apart(base: Point, values: Mapping[str, Values], accepts: Callable[[Point], bool]) -> list[Point]:
    """The base and a few points at which every symbol is another size, which tell symbols apart; nothing where none do.

    ``values`` has the sizes of each symbol, the base's first, and ``accepts`` tells whether a point may be used.
    """
    if any(len(of) < 2 for of in values.values()):
        return []
    ways = (
        {**base, **{n: of[1 + (turn * (1 + k % 3) + k) % (len(of) - 1)] for k, (n, of) in enumerate(values.items())}}
        for turn in range(MOST_WAYS)
    )
    options = [way for way in dict.fromkeys(tuple(way.items()) for way in ways) if accepts(dict(way))]
    options = [option for option in options if len({value for _, value in option}) == len(option)] or options
    points, rank = [base], 0
    while options and (rank < len(values) or len(points) < LEAST_POINTS) and len(points) < MOST_POINTS:
        ranks = [_rank([*points, dict(option)], values) for option in options]
        rank = max(ranks)
        points.append(dict(options.pop(ranks.index(rank))))
    return points if rank == len(values) and len(points) >= LEAST_POINTS else []


def _rank(points: Sequence[Point], names: Iterable[str]) -> int:
    """How many symbols points tell apart."""
    return _Ratios([tuple(point[name] for point in points) for name in names]).rank
