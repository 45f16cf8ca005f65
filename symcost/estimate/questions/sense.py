"""The sense of a formula: what a symbol does to it, which term rules, where one formula overtakes another.

Floors and ceilings are taken without their rounding here, as if sizes were smooth: these are statements about growth,
and exact ones only for formulas without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symcost.costs.exact import at_point, check_sizes, formula, need, number
from symcost.errors import SymcostError
from symcost.estimate.questions.overtaking import last_otherwise
from symcost.formulas.compared.corners import ruling
from symcost.formulas.graph.leading import brief, leading
from symcost.formulas.prove.growth import FAR
from symcost.formulas.symbols import symbol
from symcost.reading.given import checked
from symcost.reading.nearest import check_symbols
from symcost.reading.numerals import is_positive, short


def smooth(expression: Any) -> Any:
    """The formula without rounding: ``floor(x)`` and ``ceiling(x)`` as ``x``.

    >>> from symcost.formulas.symbols import parse
    >>> smooth(parse("floor(r/32)**2 * d"))
    d*r**2/1024
    """
    expression = formula(expression)
    return expression.replace(lambda node: isinstance(node, sympy.floor | sympy.ceiling), lambda node: node.args[0])


@checked
def partial(expression: Any, name: str, **point: int) -> Any:
    """Partial derivative by a symbol, sizes taken as smooth; at a point an exact number.

    Raises:
        SymcostError: where the formula has a corner in the symbol, or a value is of a symbol that it has not.
        ExpressionError: where ``name`` is no name of a symbol.

    >>> from symcost.formulas.symbols import parse
    >>> partial(parse("12*L*d**2"), "d")
    24*L*d
    >>> partial(parse("Max(12*L*d**2, 64*d)"), "d", d=8, L=1)
    Fraction(192, 1)
    """
    if not point:
        return sympy.expand(sympy.diff(_smooth_in(expression, name), symbol(name)))
    around = _ruled(expression, name, point, "the derivative")
    return number(at_point(sympy.diff(around, symbol(name)), point), "the derivative")


@checked
def elasticity(expression: Any, name: str, **point: int) -> Any:
    """How many percent the formula grows when the symbol grows by one: ``(d f/d x) x/f``, sizes taken as smooth.

    At a point it is an exact fraction; 2 says that 1 % more of the symbol costs 2 % more. Of a maximum the side counts
    that rules at the point.

    Raises:
        SymcostError: where the formula is 0, or has a corner there, or a value is of a symbol that it has not.
        ExpressionError: where ``name`` is no name of a symbol.

    >>> from symcost.formulas.symbols import parse
    >>> elasticity(parse("12*L*d**2 + 4*L*d"), "d", d=1, L=7)
    Fraction(7, 4)
    >>> elasticity(parse("12*L*d**2 + 4*L*d"), "L")
    1
    """
    whole = _ruled(expression, name, point, "the elasticity") if point else _smooth_in(expression, name)
    if at_point(whole, point) == 0:
        raise SymcostError("the formula is 0: it has no elasticity")
    relative = sympy.diff(whole, symbol(name)) * symbol(name) / whole
    return number(at_point(relative, point), "the elasticity") if point else sympy.cancel(relative)


@checked
def leading_term(expression: Any, *names: str) -> Any:
    """The part that rules when the symbols named (all of them unless named) grow together.

    Raises:
        SymcostError: where it has none, or a name is of no symbol of the formula.

    >>> from symcost.formulas.symbols import parse
    >>> leading_term(parse("2*L*N**2*d + 12*L*N*d**2 + 9*N*d"))
    2*L*N**2*d + 12*L*N*d**2
    >>> leading_term(parse("2*L*N**2*d + 12*L*N*d**2 + 9*N*d"), "N")
    2*L*N**2*d
    """
    whole = smooth(expression)
    known = sorted(str(s) for s in whole.free_symbols)
    check_symbols(names, known, having="the formula has")
    if whole.is_zero:
        return whole
    lead = leading(whole, names)
    if whole.has(sympy.Max, sympy.Min) and (lead is None or lead.has(sympy.Max)):
        raise SymcostError("a formula with Max has a leading term on each side: give a value to what decides it")
    if lead is None:
        raise SymcostError("the terms of highest degree cannot be told from others: give values to some symbols")
    return lead


@dataclass(frozen=True)
class Crossover:
    """Where two formulas are equal in one symbol, and which is larger beyond.

    Of one that was searched among integers, ``within`` which, ``at`` is the first one from which on it is larger.
    """

    symbol: str
    at: Any
    beyond: str
    within: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.within is not None:
            told = f"from {self.symbol} = {self.at} on the {self.beyond} is larger, at every integer up to {self.within[1]}"
            return f"{told}; at {self.at - 1} it is not"
        return f"equal at {self.symbol} = {self.at}; beyond it the {self.beyond} is larger"


class NoClosedForm(SymcostError):
    """There may be a crossover, and no formula of it."""


@checked
def crossover(first: Any, second: Any, name: str, *, within: tuple[int, int] | None = None, **point: int) -> Crossover:
    """The positive value of a symbol beyond which one formula stays above the other, sizes taken as smooth.

    ``point`` gives values to other symbols. Where there is no closed form (a maximum, a degree above 2) and no other symbol
    is left, the integers up to ``2**64`` are searched, or those ``within`` two of them: ``at`` is then the first integer from
    which on one formula is larger at every one, with roundings as they are. Nothing is sampled: every integer is in a range
    over which the difference was bounded.

    Raises:
        SymcostError: where neither formula overtakes the other, or that depends on other symbols.
        ExpressionError: where ``name`` is no name of a symbol.

    >>> from symcost.formulas.symbols import parse
    >>> print(crossover(parse("2*L*N**2*d"), parse("8*L*N*d**2"), "N"))  # attention against the MLP
    equal at N = 4*d; beyond it the first is larger
    >>> print(crossover(parse("Max(N*d, 4096)"), parse("64*ceiling(d/3)"), "d", N=17, within=(1, 10**6)))
    from d = 193 on the second is larger, at every integer up to 1000000; at 192 it is not
    """
    known = sorted({str(s) for each in (first, second) for s in formula(each).free_symbols} - {name})
    check_symbols(point, known, having="the formulas have")
    check_sizes(point)
    first, second = (at_point(formula(each), point) for each in (first, second))
    if within is not None:
        return _searched(first, second, name, _bracket(within))
    try:
        return _closed(first, second, name)
    except NoClosedForm:
        if set(known) - set(point):
            raise
        return _searched(first, second, name, (1, FAR))


def _bracket(given: Any) -> tuple[int, int]:
    """Two positive integers, the smaller one first."""
    if (
        isinstance(given, tuple | list)
        and len(given) == 2
        and all(map(is_positive, given))
        and given[0] < given[1] <= FAR
    ):
        return given[0], given[1]
    raise SymcostError(f"within={short(given)} must be two positive integers, as (1, 65536)")


def _searched(first: Any, second: Any, name: str, within: tuple[int, int]) -> Crossover:
    """The crossover among integers."""
    difference = _depending(first - second, name)
    left = sorted({str(s) for s in difference.free_symbols} - {name})
    need(left, "a search of the crossover")
    low, high = within
    sign, last = last_otherwise(difference, name, low, high)
    ruling = {1: "first", -1: "second"}.get(sign, "")
    if last == high or not ruling:
        raise SymcostError(f"both formulas are the same at {name} = {high}: give another range, within=({low}, ...)")
    if last is None:
        raise SymcostError(
            f"neither formula overtakes the other in {name}: the {ruling} is larger at every integer from {low} to {high}"
        )
    return Crossover(name, last + 1, ruling, within)


def _closed(first: Any, second: Any, name: str) -> Crossover:
    """The crossover as a formula."""
    x = symbol(name)
    difference = sympy.expand(smooth(first) - smooth(second))
    if difference == 0:
        raise SymcostError("both formulas are the same: neither overtakes the other")
    if _depending(difference, name).has(sympy.Max, sympy.Min):
        raise NoClosedForm(
            f"a formula with Max has a corner in {name}: take one of its parts, or give values to all other symbols"
        )
    above = sympy.factor(_smooth_in(difference, name))
    top, _ = sympy.fraction(sympy.together(above))
    roots: list[Any] = []
    for factor, _ in sympy.factor_list(top, x)[1]:
        if not factor.has(x):
            continue
        degree = sympy.Poly(factor, x).degree()
        if degree > 2:
            raise NoClosedForm(
                f"the crossover in {name} solves an equation of degree {degree}: give values to the other symbols"
            )
        roots += _positive_roots(factor, x)
    if not roots:
        raise SymcostError(f"neither formula overtakes the other in {name}: one is larger for all positive values")
    last = _largest(roots, name)
    leading = sympy.LC(sympy.Poly(top, x))
    sign = leading.is_positive
    if sign is None:
        raise SymcostError(f"which formula is larger for large {name} depends on the other symbols: give them values")
    return Crossover(name, last, "first" if sign else "second")


def _positive_roots(factor: Any, x: Any) -> list[Any]:
    """The positive roots of a factor of degree 1 or 2, which need not be integers, and one that is 0 at the least sizes alone."""
    free = sympy.Dummy(real=True)
    roots = sympy.solve(factor.xreplace({x: free}), free)
    signs = [_is_above(root) for root in roots]
    if None in signs and len(roots) == 2 and sympy.simplify(roots[0] * roots[1]).is_negative:
        return [next(root for root in roots if root.is_positive)] if True in signs else _unsettled(roots, x)
    return _unsettled(roots, x) if None in signs else [root for root, sign in zip(roots, signs, strict=True) if sign]


def _is_above(root: Any) -> bool | None:
    """Whether a root is positive, but for the least sizes at most."""
    told = sympy.factor(root)
    return True if told.is_nonnegative and not told.is_zero else root.is_positive


def _unsettled(roots: Sequence[Any], x: Any) -> Any:
    told = f", at {brief(roots[0])}," if len(roots) == 1 else ""
    raise NoClosedForm(f"whether there is a crossover in {x}{told} depends on the other symbols: give them values")


def _largest(roots: Sequence[Any], name: str) -> Any:
    most = roots[0]
    for root in roots[1:]:
        difference = sympy.simplify(root - most)
        if difference.is_nonnegative:
            most = root
        elif not difference.is_nonpositive:
            raise NoClosedForm(f"several crossovers in {name} lie in no fixed order: give values to the other symbols")
    return most


def _depending(expression: Any, name: str) -> Any:
    whole = formula(expression)
    if symbol(name) not in whole.free_symbols:
        known = ", ".join(sorted(str(s) for s in whole.free_symbols)) or "none"
        raise SymcostError(f"the formula does not depend on {name!r}: it has {known}")
    return whole


def _smooth_in(expression: Any, name: str) -> Any:
    whole = smooth(_depending(expression, name))
    if whole.has(sympy.Max, sympy.Min):
        given = ", ".join(f"{each}=..." for each in sorted(str(s) for s in whole.free_symbols))
        raise SymcostError(f"a formula with Max has a corner in {name}: take one of its parts, or give {given}")
    return whole


def _ruled(expression: Any, name: str, point: Mapping[str, int], what: str) -> Any:
    """The formula around a point, without rounding and maxima."""
    whole = _depending(expression, name)
    known = sorted(str(s) for s in whole.free_symbols)
    check_symbols(point, known, having="the formula has")
    check_sizes(point)
    need(set(known) - set(point), what)
    return ruling(whole, name, point)
