"""Expressions as sums over what moves: a layer's index, a depth, a remainder; what a program compares, solved for them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.tracing.evidence.frames.expressions import Node, Site, evaluated
from symcost.tracing.evidence.frames.roles import Column, Role, role
from symcost.tracing.evidence.frames.values import COMPILED, Known, Table, Unreadable, arithmetic

MAX_ALTERNATIVES, MAX_VALUES = 4096, 64


class NoNumber(Exception):
    """An operand that is no number: text, nothing, an array. It says nothing of depths and sizes."""


class NotRead(Exception):
    """An operand that may be a number and whose rule is not known."""


@dataclass(frozen=True)
class Moving:
    """What moves in a sum: a leaf by its ``role``, or a remainder or quotient of one (``inside``, by ``number``)."""

    kind: str
    role: Role
    number: int = 0
    inside: tuple[tuple[Moving, Fraction], ...] = ()
    constant: Fraction = Fraction(0)


@dataclass(frozen=True)
class Sum:
    """``constant`` and a multiple of each atom."""

    terms: tuple[tuple[Moving, Fraction], ...] = ()
    constant: Fraction = Fraction(0)

    def plus(self, other: Sum, factor: Fraction = Fraction(1)) -> Sum:
        """The sum with a multiple of another one."""
        terms = dict(self.terms)
        for atom, c in other.terms:
            terms[atom] = terms.get(atom, Fraction(0)) + factor * c
        kept = tuple((atom, c) for atom, c in terms.items() if c)
        return Sum(kept, self.constant + factor * other.constant)

    @property
    def roles(self) -> Iterator[Role]:
        """The roles of all that moves in it."""
        return (atom.role for atom, _ in self.terms)

    @property
    def symbols(self) -> Iterator[str]:
        """The symbols of the sizes in it."""
        return (name for role in self.roles if role.kind == "size" for name in role.symbols)

    @property
    def is_whole(self) -> bool:
        """Whether it is one of whole numbers."""
        return all(c.denominator == 1 for c in (self.constant, *(c for _, c in self.terms)))

    @property
    def number(self) -> Fraction | None:
        """Its value where nothing moves."""
        return None if self.terms else self.constant


@dataclass(frozen=True)
class Reading:
    """One site's operands with the roles of its leaves."""

    site: Site
    columns: tuple[Column, ...]
    symbols: Collection[str]
    bound: bool = True
    """Whether a value that did not change and equals a depth is taken for a constant."""

    def role(self, leaf: int) -> Role:
        """The role of a leaf."""
        return self._taken(role(self.columns[leaf], self.symbols))

    def _taken(self, found: Role) -> Role:
        if found.kind == "const" and found.symbols and not self.bound:
            return Role("size", symbols=found.symbols[:1])
        return found

    def known(self, node: Node) -> str:
        """The name of the function of Python's own that is called, ``get`` of a dictionary among them; empty for others."""
        value = self.role(node.parts[0].value).value if node.parts and node.parts[0].kind == "leaf" else None
        if isinstance(value, Table) and value.kind == "get":
            return "get"
        return value.name if isinstance(value, Known) else ""

    def compiled(self, function: Node) -> bool:
        """Whether what is called is no function of Python's own, or is computed itself: ``str(i).endswith``."""
        return function.kind != "leaf" or self.role(function.value).value is COMPILED

    def moving(self, node: Node) -> tuple[Role, ...]:
        """The roles of the leaves in an expression that are depths or change from layer to layer."""
        roles = [self.role(part.value) for part in node.walk() if part.kind == "leaf"]
        return tuple(r for r in roles if r.moves or (r.kind == "size" and set(r.symbols) & set(self.symbols)))

    def sums(self, node: Node) -> list[Sum]:
        """The sums that an expression is, one for each way a clamp in it may go."""
        match node.kind:
            case "const":
                return [self._constant(node.value)]
            case "leaf":
                return _ways(self.role(node.value))
            case "neg":
                return [Sum().plus(s, Fraction(-1)) for s in self.sums(node.parts[0])]
            case "call":
                return self._called(node)
            case "either":
                return self._any_of(node.parts)
            case "display" | "opaque":
                raise NotRead(node.kind)
        pairs = itertools.product(self.sums(node.parts[0]), self.sums(node.parts[1]))
        found = {_combined(node.kind, left, right) for left, right in itertools.islice(pairs, MAX_ALTERNATIVES + 1)}
        if len(found) > MAX_ALTERNATIVES:
            raise NotRead("many values")
        return list(found)

    def _any_of(self, nodes: Sequence[Node]) -> list[Sum]:
        """The sums of those that are numbers: which one it is, another site tells."""
        found: list[Sum] = []
        for node in nodes:
            try:
                found += self.sums(node)
            except NoNumber:
                continue
        if not found:
            raise NoNumber("either")
        return found

    def _constant(self, value: Any) -> Sum:
        return _of(Role("const", value))

    def _called(self, node: Node) -> list[Sum]:
        name, args = self.known(node), node.parts[1:]
        if name == "len" and len(args) == 1 and args[0].kind == "leaf":
            return [_of(self._taken(role(self.columns[args[0].value].length, self.symbols)))]
        if name in ("min", "max") and len(args) > 1:
            return [s for arg in args for s in self.sums(arg)]
        if name in ("int", "round", "ceil", "floor") and len(args) == 1:
            return self.sums(args[0])
        if name == "abs" and len(args) == 1:
            return [s for inner in self.sums(args[0]) for s in (inner, Sum().plus(inner, Fraction(-1)))]
        raise NotRead("a call")

    def items(self, node: Node) -> list[Callable[[], list[Sum]]] | None:
        """The items of several values in a row, each to be read; nothing where it is not seen to be such."""
        if node.kind == "display":
            return [lambda part=part: self.sums(part) for part in node.parts]
        if node.kind == "leaf" and (columns := self.columns[node.value].items) is not None:
            return [lambda column=column: _ways(self._taken(role(column, self.symbols))) for column in columns]
        return None

    def table(self, node: Node) -> Table | None:
        """A builtin container that is the same whenever it is read."""
        if node.kind == "display":
            plain = tuple(part.value for part in node.parts if part.kind == "const")
            return Table("tuple", len(node.parts), plain if len(plain) == len(node.parts) else ())
        found = self.role(node.value) if node.kind == "leaf" else Role("other")
        return found.value if found.kind == "const" and isinstance(found.value, Table) else None

    def value(self, node: Node, given: Mapping[int, int]) -> Any:
        """An expression's value where some leaves have values, and all others are constants; or :class:`Unreadable`."""
        return evaluated(node, lambda leaf: given[leaf] if leaf in given else self.role(leaf).value)


def _ways(found: Role) -> list[Sum]:
    """A leaf as a sum, one for each value of a loop's own."""
    if found.kind != "fixed":
        return [_of(found)]
    if len(found.value) > MAX_VALUES:
        raise NotRead(found.kind)
    return [Sum(constant=Fraction(value)) for value in found.value]


def _of(found: Role) -> Sum:
    """A leaf as a sum."""
    match found.kind:
        case "const":
            if type(found.value) is int or (type(found.value) is float and math.isfinite(found.value)):
                return Sum(constant=Fraction(found.value))
            raise NoNumber(found.kind)
        case "size":
            plain = Role("size", symbols=found.symbols)
            return Sum(((Moving("size", plain), found.slope),), found.shift)
        case "other":
            raise NoNumber(found.kind)
        case "unknown" | "real":
            raise NotRead(found.kind)
    return Sum(((Moving(found.kind, found), Fraction(1)),))


def _combined(sign: str, left: Sum, right: Sum) -> Sum:
    """One operation of two sums."""
    a, b = left.number, right.number
    match sign:
        case "+":
            return left.plus(right)
        case "-":
            return left.plus(right, Fraction(-1))
        case "*" if a is not None:
            return Sum().plus(right, a)
        case "*" if b is not None:
            return Sum().plus(left, b)
        case "/" if b:
            return Sum().plus(left, 1 / b)
        case "<<" if b is not None and 0 <= b < 64:
            return Sum().plus(left, Fraction(2 ** int(b)))
    if a is not None and b is not None:
        return _number(sign, a, b)
    if b == 1 and sign in ("%", "//") and left.is_whole:
        return Sum() if sign == "%" else left
    divided = divisor(sign, b)
    if divided is None:
        raise NotRead(sign)
    rest, number = divided
    first = max(left.roles, key=lambda r: r.moves)
    return Sum(((Moving("rest" if rest else "quotient", first, number, left.terms, left.constant), Fraction(1)),))


def divisor(sign: str, right: Fraction | None) -> tuple[bool, int] | None:
    """Whether an operation by a number takes a remainder or a quotient, and of which number."""
    if right is None or right.denominator != 1 or right < 0:
        return None
    number = int(right)
    if sign in ("%", "//") and number > 0:
        return sign == "%", number
    if sign == "&":
        return True, 1 << number.bit_length()
    return (False, 1 << number) if sign == ">>" and number < 64 else None


def _number(sign: str, left: Fraction, right: Fraction) -> Sum:
    plain = [int(v) if v.denominator == 1 else float(v) for v in (left, right)]
    try:
        return Sum(constant=Fraction(arithmetic(sign, *plain)))
    except (Unreadable, ValueError, OverflowError):
        raise NotRead(sign) from None


def pairs(values: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Every two of several."""
    return itertools.combinations(values, 2)
