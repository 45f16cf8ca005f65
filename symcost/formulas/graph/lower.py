"""From sympy to the graph: integers only. A rational is two integer nodes, above and below the line.

Denominators are cleared, so that ``floor(3*x/4)`` is the integer division ``3*x // 4``; sums are regrouped from the
outer axes to the inner ones, so that what an inner axis needs is a polynomial in it with ready coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy.core.relational import Relational

from symcost.errors import ExpressionError
from symcost.formulas.binary.digits import Digital, clog2
from symcost.formulas.binary.halves import odd_halves, odd_sum
from symcost.formulas.binary.powers import isqrt, pow2
from symcost.formulas.conditions import Combined, Compare, Condition
from symcost.formulas.graph.graph import Graph, Node
from symcost.formulas.graph.ranges import Ranges, check_divisor


@dataclass(frozen=True)
class Ratio:
    """An exact quotient of two integers; ``below`` is positive everywhere."""

    above: Node
    below: Node

    @property
    def is_integer(self) -> bool:
        """Whether there is nothing below the line."""
        return self.below.op == "constant" and self.below.value == 1


Factors = dict[Node, int]
Term = tuple[Fraction, Factors]


MOST_TERMS = 4000
"""A sum is not rewritten when it would become longer than this."""


MOST_STEPS = 1024
"""Larger powers of two are not evaluated over a space."""


def _merged(terms: Iterable[tuple[int, Factors]]) -> list[tuple[int, Factors]]:
    """Terms with equal factors added up."""
    found: dict[tuple[tuple[int, int], ...], list[Any]] = {}
    for coefficient, factors in terms:
        key = tuple(sorted((node.index, power) for node, power in factors.items()))
        found.setdefault(key, [0, factors])[0] += coefficient
    return [(coefficient, factors) for coefficient, factors in found.values() if coefficient]


def _common_factors(terms: list[tuple[int, Factors]]) -> Factors:
    """What every term of a sum is a multiple of."""
    first, *others = (factors for _, factors in terms)
    found = dict(first)
    for factors in others:
        found = {node: min(power, factors[node]) for node, power in found.items() if node in factors}
    return found


class Lowering:
    """Turns expressions and conditions into nodes.

    ``axes`` are the symbols of the axes in the order of evaluation; other symbols stand for ``formulas`` by their name.
    ``apart``: a quotient stays where it stands, as ``n/d + d/n``, whose bounds are narrower than over one denominator.
    """

    def __init__(
        self, graph: Graph, ranges: Ranges, axes: Sequence[str], formulas: Mapping[str, Any] | None = None,
        *, apart: bool = False,
    ) -> None:  # fmt: skip
        self.graph, self.ranges, self.formulas = graph, ranges, dict(formulas or {})
        self.apart = apart
        self.axes = {name: graph.axis(position) for position, name in enumerate(axes)}
        self.one = graph.constant(1)
        self._known: dict[Any, Ratio] = {}

    def integer(self, node: Node) -> Ratio:
        """A node as a quotient."""
        return Ratio(node, self.one)

    def __call__(self, expression: Any) -> Ratio:
        """The quotient of an expression or an integer."""
        expression = sympy.sympify(expression, strict=True)
        found = self._known.get(expression)
        if found is None:
            try:
                found = self._known[expression] = self._lower(expression)
            except RecursionError:
                raise ExpressionError("a formula is nested too deeply to be evaluated over a space") from None
        return found

    def value(self, expression: Any) -> Node:
        """One node of the expression: an integer, or the exact quotient where it is none."""
        ratio = self(expression)
        return ratio.above if ratio.is_integer else self.graph.apply("div", ratio.above, ratio.below)

    def _lower(self, node: Any) -> Ratio:
        if node.is_Rational:
            return Ratio(self.graph.constant(int(node.p)), self.graph.constant(int(node.q)))
        if node.is_Symbol:
            if node.name in self.axes:
                return self.integer(self.axes[node.name])
            if node.name in self.formulas:
                return self(self.formulas[node.name])
            raise ExpressionError(f"no axis for the symbol {node.name}: there are {', '.join(self.axes) or 'none'}")
        if node.is_Add:
            return self._sum([self._term(a) for a in node.args])
        if node.is_Mul or node.is_Pow:
            return self._sum([self._term(node)])
        return self._function(node)

    def _function(self, node: Any) -> Ratio:
        if isinstance(node, sympy.Piecewise):
            return self._piecewise(node)
        parts = [self(a) for a in node.args]
        apply = self.graph.apply
        if self.apart and isinstance(node, sympy.floor | sympy.ceiling):
            return self.integer(apply("ceil" if isinstance(node, sympy.ceiling) else "floor", self.value(node.args[0])))
        if isinstance(node, sympy.floor):
            return self.integer(apply("floordiv", parts[0].above, parts[0].below))
        if isinstance(node, sympy.ceiling):
            above = apply("sub", apply("add", parts[0].above, parts[0].below), self.one)
            return self.integer(apply("floordiv", above, parts[0].below))
        if isinstance(node, sympy.Max | sympy.Min):
            aboves, below = self._common(parts)
            return Ratio(self.graph.chain("max" if isinstance(node, sympy.Max) else "min", aboves), below)
        if isinstance(node, sympy.Mod):
            (a, b), below = self._common(parts)
            if self.ranges(b)[0] <= 0:
                raise ExpressionError(f"{node}: what stands behind % must be positive in the whole space")
            return Ratio(apply("mod", a, b), below)
        if isinstance(node, odd_halves):
            return self._halves(node)
        if isinstance(node, pow2):
            return self._power_of_two(node, parts[0])
        if isinstance(node, isqrt):
            if self.ranges(self.value(node.args[0]))[0] < 0:
                raise ExpressionError(f"{node}: the root over a space is of numbers that are at least 0 in all of it")
            return self.integer(apply("isqrt", apply("floordiv", parts[0].above, parts[0].below)))
        if isinstance(node, Digital):
            return self._logarithm(node)
        raise ExpressionError(f"{node.func} cannot be evaluated over a space: {node}")

    def _logarithm(self, node: Any) -> Ratio:
        """Of a number of at least 1: that of the next integer up or down, a power of 2 being one."""
        up = isinstance(node, clog2)
        if self.ranges(self.value(node.args[0]))[0] < 1:
            raise ExpressionError(f"{node}: the logarithm over a space is of numbers that are at least 1 in all of it")
        whole = self((sympy.ceiling if up else sympy.floor)(node.args[0])).above
        return self.integer(self.graph.apply("clog2" if up else "flog2", whole))

    def _power_of_two(self, node: Any, exponent: Ratio) -> Ratio:
        """The sum of the steps up to it, ``1 + 1 + 2 + 4 + ...``: each is taken where the exponent is beyond it."""
        low, high = self.ranges(exponent.above)
        if not exponent.is_integer or low < 0 or high > MOST_STEPS:
            raise ExpressionError(
                f"{node}: the power over a space is of integers from 0 to {MOST_STEPS}, and here from {low} to {high}"
            )
        apply, constant = self.graph.apply, self.graph.constant
        steps = [constant(1 << int(low))]
        for level in range(int(low), int(high)):
            beyond = apply("max", constant(0), apply("sub", exponent.above, constant(level)))
            steps.append(apply("mul", constant(1 << level), apply("min", constant(1), beyond)))
        return self.integer(self.graph.chain("add", steps))

    def _halves(self, node: Any) -> Ratio:
        """The sum over as many halves as the largest number of the space has."""
        argument, power = node.parts
        number, apply = self(argument), self.graph.apply
        low, high = self.ranges(number.above)
        if not number.is_integer or low < 0 or not power.is_Integer:
            raise ExpressionError(
                f"{node}: the digits over a space are those of integers that are at least 0 in all of it"
            )
        odd_sum(0, int(power))  # a power that is too large is an error
        found = []
        for level in range(int(high).bit_length()):
            half = apply("floordiv", number.above, self.graph.constant(1 << level))
            found.append(self.graph.chain("mul", [apply("mod", half, self.graph.constant(2)), *[half] * int(power)]))
        return self.integer(self.graph.chain("add", found))

    # -- sums of products ----------------------------------------------------------------------------------------
    def _term(self, node: Any) -> Term:
        coefficient, factors = Fraction(1), dict[Node, int]()
        for factor in node.args if node.is_Mul else (node,):
            base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sympy.Integer(1))
            if not exponent.is_Integer:
                raise ExpressionError(f"{factor}: the exponent must be an integer")
            ratio = self(base)
            for part, power in ((ratio.above, int(exponent)), (ratio.below, -int(exponent))):
                if part.op != "constant" and self.apart and power < 0:
                    part, power = self.graph.apply("div", self.one, part), -power
                if part.op != "constant":
                    factors[part] = factors.get(part, 0) + power
                elif part.value == 0 and power < 0:
                    raise ExpressionError(f"{node} divides by zero")
                else:
                    coefficient *= Fraction(part.value) ** power
        return coefficient, {node: power for node, power in factors.items() if power}

    def _sum(self, terms: list[Term]) -> Ratio:
        scale = math.lcm(*(c.denominator for c, _ in terms))
        below: Factors = {}
        for _, factors in terms:
            for node, power in factors.items():
                if power < 0:
                    below[node] = max(below.get(node, 0), -power)
        cleared = []
        for coefficient, factors in terms:
            whole = {node: factors.get(node, 0) + below.get(node, 0) for node in {**factors, **below}}
            cleared.append((int(coefficient * scale), {node: power for node, power in whole.items() if power}))
        above, under = self._regrouped(self._shifted(cleared)), self._powers(scale, below)
        check_divisor(bounds := self.ranges(under))
        if bounds[1] < 0:
            above, under = (self.graph.apply("sub", self.graph.constant(0), node) for node in (above, under))
        return Ratio(above, under)

    def _shifted(self, terms: list[tuple[int, Factors]]) -> list[tuple[int, Factors]]:
        """The sum in axes counted from their smallest values, where nothing is subtracted any more then.

        ``L*d**2 - d**2`` is ``(L - 1)*d**2``: what only grows is seen to grow, and bounds of it are exact.
        """
        if all(coefficient >= 0 for coefficient, _ in terms):
            return terms
        positive = {node for coefficient, factors in terms if coefficient > 0 for node in factors}
        made = terms
        for node in sorted((n for n in positive if n.op == "axis"), key=lambda n: n.index):
            least = self.ranges(node)[0]
            rest = self.graph.apply("sub", node, self.graph.constant(least))
            split = [
                (coefficient * math.comb(power, k) * least ** (power - k), {**others, **({rest: k} if k else {})})
                for coefficient, factors in made
                for power in (factors.get(node, 0),)
                for others in ({n: p for n, p in factors.items() if n is not node},)
                for k in range(power + 1)
            ]
            made = _merged(split)
            if len(made) > MOST_TERMS:
                return terms
        return made if all(coefficient > 0 for coefficient, _ in made) else terms

    def _powers(self, coefficient: int, factors: Factors) -> Node:
        parts = [self.graph.chain("mul", [n] * power) if power > 1 else n for n, power in factors.items()]
        return self.graph.chain("mul", [*parts, self.graph.constant(coefficient)])

    def _regrouped(self, terms: list[tuple[int, Factors]]) -> Node:
        """The sum as a polynomial in what depends on the innermost axis, its coefficients made the same way."""
        innermost = max((node.axes.bit_length() for _, factors in terms for node in factors), default=0)
        if innermost == 0:
            return self.graph.constant(sum(coefficient for coefficient, _ in terms))
        common = _common_factors(terms)
        if common:
            rest = [(c, {n: p - common.get(n, 0) for n, p in f.items() if p > common.get(n, 0)}) for c, f in terms]
            return self.graph.chain("mul", [self._powers(1, common), self._regrouped(rest)])
        groups: dict[tuple[tuple[int, int], ...], tuple[Factors, list[tuple[int, Factors]]]] = {}
        for coefficient, factors in terms:
            inner = {node: power for node, power in factors.items() if node.axes.bit_length() == innermost}
            outer = {node: power for node, power in factors.items() if node not in inner}
            key = tuple(sorted((node.index, power) for node, power in inner.items()))
            groups.setdefault(key, (inner, []))[1].append((coefficient, outer))
        added, subtracted = [], []
        for inner, parts in groups.values():
            negative = all(coefficient < 0 for coefficient, _ in parts)
            outer = self._regrouped([(-c, f) for c, f in parts] if negative else parts)
            (subtracted if negative else added).append(self.graph.chain("mul", [self._powers(1, inner), outer]))
        total = self.graph.chain("add", added)
        return self.graph.apply("sub", total, self.graph.chain("add", subtracted)) if subtracted else total

    def _common(self, parts: Iterable[Ratio]) -> tuple[list[Node], Node]:
        """Quotients over one denominator."""
        parts = list(parts)
        scale = math.lcm(*(p.below.value for p in parts if p.below.op == "constant"))
        under = {p.below for p in parts if p.below.op != "constant"}
        below = self._powers(scale, dict.fromkeys(under, 1))
        aboves = []
        for part in parts:
            own = scale // part.below.value if part.below.op == "constant" else scale
            aboves.append(
                self.graph.chain("mul", [part.above, self._powers(own, dict.fromkeys(under - {part.below}, 1))])
            )
        return aboves, below

    # -- conditions ----------------------------------------------------------------------------------------------
    def _piecewise(self, node: Any) -> Ratio:
        if node.args[-1][1] != True:  # noqa: E712 - sympy's own true
            raise ExpressionError(f"{node} has no value where none of its conditions holds")
        aboves, below = self._common([self(value) for value, _ in node.args])
        result = aboves[-1]
        for above, (_, holds) in zip(aboves[-2::-1], node.args[-2::-1], strict=True):
            result = self.graph.apply("select", self.logical(holds), above, result)
        return Ratio(result, below)

    def logical(self, condition: Any) -> Node:
        """The node of sympy's logic: relations, And, Or, Not."""
        if condition in (sympy.true, sympy.false):
            return self.graph.constant(bool(condition))
        if isinstance(condition, sympy.And | sympy.Or):
            parts = [self.logical(part) for part in condition.args]
            return self.graph.chain("and" if isinstance(condition, sympy.And) else "or", parts)
        if isinstance(condition, sympy.Not):
            return self.graph.apply("not", self.logical(condition.args[0]))
        if isinstance(condition, sympy.ITE):
            test, then, otherwise = (self.logical(part) for part in condition.args)
            apply = self.graph.apply
            return apply("or", apply("and", test, then), apply("and", apply("not", test), otherwise))
        if isinstance(condition, Relational):
            relation: Any = condition
            return self.compared(relation.rel_op, self(condition.lhs), self(condition.rhs))
        raise ExpressionError(f"the condition {condition} cannot be decided over a space")

    def holds(self, condition: Condition) -> Node:
        """The node of a condition that was read from text."""
        if isinstance(condition, Combined):
            parts = [self.holds(part) for part in condition.parts]
            return self.graph.apply("not", *parts) if condition.op == "not" else self.graph.chain(condition.op, parts)
        if isinstance(condition, Compare):
            return self.compared(condition.op, self(condition.left), self(condition.right))
        raise ExpressionError(f"{condition.text} stands for conditions of a device: there is none here")

    def compared(self, op: str, left: Ratio, right: Ratio) -> Node:
        """``left op right``, with both sides multiplied by the positive denominators."""
        (a, b), _ = self._common([left, right])
        match op:
            case "<=" | "<":
                return self.graph.apply("le" if op == "<=" else "lt", a, b)
            case ">=" | ">":
                return self.graph.apply("le" if op == ">=" else "lt", b, a)
            case "==":
                return self.graph.apply("eq", a, b)
            case "!=":
                return self.graph.apply("not", self.graph.apply("eq", a, b))
        raise ExpressionError(f"unknown comparison {op}")
