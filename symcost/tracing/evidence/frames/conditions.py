"""Conditions on sizes that a program's own lines set: comparisons, clamps, look-ups and roundings as guards in symbols."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from symcost.formulas.form import Form
from symcost.tracing.evidence.frames.expressions import Node, Site, evaluated
from symcost.tracing.evidence.frames.fitted import fitted
from symcost.tracing.evidence.frames.landmarks import joined
from symcost.tracing.evidence.frames.roles import Column, Point
from symcost.tracing.evidence.frames.shares import Computed, written
from symcost.tracing.evidence.frames.values import COMPUTED, Known, Table, Unreadable
from symcost.tracing.evidence.frames.watch import Observations
from symcost.tracing.evidence.guard import OPERATORS, OPPOSITE, Guard, Operand, Place, Rounding, guard

ROUNDED = ("int", "round", "ceil", "floor")
GATHERED = ("list", "tuple", "set", "frozenset")
"""Functions of a row of numbers among which a size is looked for as in the row."""
LOOKING = ("in", "not in", "[]", "call", "distinct")
READ = (*OPERATORS, *LOOKING, "test")
"""Operations that say something of a size."""


@dataclass(frozen=True)
class Unfitted:
    """A size that a program decides by and whose formula is not known, with its values where it was watched."""

    text: str
    values: tuple[Any, ...]
    place: Place = field(compare=False)

    def __str__(self) -> str:
        return f"{self.text} = {', '.join(map(str, self.values))} at {self.place}"


@dataclass
class Sizes:
    """What the lines of a program say of its sizes: all true at the first watched point."""

    guards: list[Guard] = field(default_factory=list)
    roundings: list[Rounding] = field(default_factory=list)
    unfitted: list[Unfitted] = field(default_factory=list)


class _Stuck(Exception):
    """An operand that is no number, or that does not depend on a size."""


def sizes(seen: Sequence[Observations]) -> Sizes:
    """Guards, roundings and sizes without a formula, from runs at two or more points of the same depths.

    The values of what a line reads are fitted over the points by the simplest of few forms (a multiple, a sum with a number,
    a product or quotient of two symbols); three points tell them apart better than two. Conditions are those of the first.
    """
    found = Sizes()
    for site, columns in joined(seen):
        if site.operation not in READ:
            continue  # of remainders and quotients nothing is read, which a table's lines take by the thousand
        for visit in _visits(columns):
            _Reader(site, visit, found).read()
    found.guards = list(dict.fromkeys(found.guards))
    found.roundings = list(dict.fromkeys(found.roundings))
    found.unfitted = list(dict.fromkeys(found.unfitted))
    return found


def _visits(columns: Sequence[Column]) -> list[tuple[Column, ...]]:
    """Each time that a site was reached, as columns of one value a point; alike ones once."""
    if not columns:
        return []
    lengths = {len(values) for column in columns for values in column.values}
    if len(lengths) > 1:  # a loop that grows: only what is the same in all rounds can be told
        single = all(len(set(values)) == 1 for column in columns for values in column.values)
        lengths = {1} if single else set()
    seen: dict[Any, None] = {}
    for k in range(next(iter(lengths), 0)):
        seen[tuple(tuple(values[k] for values in column.values) for column in columns)] = None
    return [
        tuple(Column(c.text, c.points, tuple((v,) for v in values)) for c, values in zip(columns, visit, strict=True))
        for visit in seen
    ]


@dataclass
class _Reader:
    """One time that a site was reached, read as conditions."""

    site: Site
    columns: tuple[Column, ...]
    found: Sizes

    def __post_init__(self) -> None:
        self.points: tuple[Point, ...] = self.columns[0].points
        self.leaves = tuple(self._leaf(column) for column in self.columns)

    def _leaf(self, column: Column) -> Any:
        """A number or object that is the same at all points, a form, or nothing where none fits."""
        values = [value for (value,) in column.values]
        if any(type(v) is not type(values[0]) for v in values):
            return None
        if all(v == values[0] for v in values):
            return values[0]
        if type(values[0]) is not int:
            return None
        return fitted(values, self.points) or self._rounded(values)

    def _rounded(self, values: Sequence[int]) -> Rounding | None:
        """The rounding, made by a line before, that these values are."""
        for made in self.found.roundings:
            if [made.value(point) for point in self.points] == list(values):
                return made
        return None

    def read(self) -> None:
        """Write down what the site says, where it says something of a size."""
        operation, operands, known = self.site.operation, self.site.operands, len(self.found.guards)
        try:
            if operation in OPERATORS:
                self._compared(operation, *operands)
            elif operation in ("in", "not in"):
                self._membership(operands[0], operands[1])
            elif operation == "test":
                self._decided("!=", operands[0], Node("const", value=0))
            elif operation == "[]":
                self._looked_up(operands[1], operands[0])
            elif operation == "call":
                self._called(self._name(operands[0]), operands[1:])
            elif operation == "distinct":
                for left, right in itertools.combinations(operands, 2):
                    self._decided("==", left, right)
        except (_Stuck, Unreadable):
            if operation in LOOKING:
                del self.found.guards[known:]  # a look-up is told whole, or not at all

    def _name(self, node: Node) -> str:
        value = self.leaves[node.value] if node.kind == "leaf" else None
        if isinstance(value, Table) and value.kind == "get":
            return "get"
        return value.name if isinstance(value, Known) else ""

    def _compared(self, operation: str, left: Node, right: Node) -> None:
        sides = [self._items(left), self._items(right)]
        if sides[0] is None or sides[1] is None:
            self._decided(operation, left, right)
        elif operation in ("==", "!="):
            self._together(sides[0], sides[1])

    def _together(self, left: Sequence[Node], right: Sequence[Node]) -> bool:
        """Whether two rows are equal at the first point, as decisions of their items."""
        if len(left) != len(right):
            return False
        pairs = list(zip(left, right, strict=True))
        same = [self._base(a) == self._base(b) for a, b in pairs]
        for (a, b), alike in zip(pairs, same, strict=True):
            if all(same) or not alike:  # each of equal ones must stay equal, any of the others may tell them apart
                self._decided("==", a, b)
        return all(same)

    def _items(self, node: Node) -> list[Node] | None:
        """The items of several values in a row, each an expression of this site."""
        if node.kind == "display":
            return list(node.parts)
        if node.kind != "leaf" or (items := self.columns[node.value].items) is None:
            return None
        nodes = []
        for item in items:
            self.columns, self.leaves = (*self.columns, item), (*self.leaves, self._leaf(item))
            nodes.append(Node("leaf", value=len(self.leaves) - 1))
        return nodes

    def _base(self, node: Node) -> Any:
        """An operand's value at the first point."""
        return evaluated(node, lambda k: self.columns[k].values[0][0])

    def _decided(self, operation: str, left: Node, right: Node) -> None:
        """One comparison, as it went at the first point."""
        a, b = self._base(left), self._base(right)
        if not all(type(v) in (int, float) for v in (a, b)):
            raise _Stuck
        sides = self._side(left), self._side(right)
        if not any(side.symbols for side in sides):
            return
        op = operation if OPERATORS[operation](a, b) else OPPOSITE[operation]
        one, other = sides
        if isinstance(one, Form) and isinstance(other, Form):
            made = guard(one, op, other, self.site.place, "frame")
        else:
            made = Guard(one, op, other, self.site.place, "frame")
        if made is not None:
            self.found.guards.append(made)

    def _side(self, node: Node) -> Operand:
        """An operand as a form, or as the program's own formula where floats are in it."""
        for part in node.walk():
            if part.kind == "leaf" and self.leaves[part.value] is None:
                self._unfitted(node)
        form = self._form(node)
        return form if form is not None else Computed(node, self.leaves, self._text(node))

    def _unfitted(self, node: Node) -> None:
        values = []
        for k, _ in enumerate(self.points):
            values.append(evaluated(node, lambda leaf, k=k: self.columns[leaf].values[k][0]))
        self.found.unfitted.append(Unfitted(self._text(node), tuple(values), self.site.place))
        raise _Stuck

    def _text(self, node: Node) -> str:
        """An operand as text, its names as the forms that they stand for."""

        def told(k: int) -> str:
            leaf = self.leaves[k]
            return leaf.name if isinstance(leaf, Known) else self.columns[k].text if leaf is None else str(leaf)

        return written(node, told)

    def _form(self, node: Node) -> Form | None:
        """An operand in exact arithmetic of whole numbers; a clamp is the side that it took at the first point."""
        match node.kind:
            case "const":
                return Form.constant(node.value) if type(node.value) is int else None
            case "leaf":
                leaf = self.leaves[node.value]
                return leaf if isinstance(leaf, Form) else Form.constant(leaf) if type(leaf) is int else None
            case "call" if self._name(node.parts[0]) in ("min", "max"):
                return self._form(self._taken(node))
            case "call" if self._name(node.parts[0]) == "int" and len(node.parts) == 2:
                inner = self._form(node.parts[1])
                return inner if inner is not None and inner.is_integral else None
            case "neg":
                inner = self._form(node.parts[0])
                return None if inner is None else -inner
            case "+" | "-" | "*" | "//" | "%":
                left, right = self._form(node.parts[0]), self._form(node.parts[1])
                return None if left is None or right is None else _SIGNS[node.kind](left, right)
        return None

    def _taken(self, node: Node) -> Node:
        """The argument that a clamp took at the first point."""
        result = self._base(node)
        return next(part for part in node.parts[1:] if self._base(part) == result)

    def _looked_up(self, index: Node, owner: Node) -> None:
        """A size that something is looked up by: it is one of a dictionary's keys, or a place in a row of some length."""
        table = self.leaves[owner.value] if owner.kind == "leaf" else None
        if isinstance(table, Table) and table.kind == "dict":
            self._membership(index, owner)
            return
        length = len(owner.parts) if owner.kind == "display" else table.length if isinstance(table, Table) else 0
        place = self._base(index)
        if not length or type(place) is not int:
            raise _Stuck
        if -length <= place < length:
            self._decided("==", index, _constant(place))
        else:  # where Python raises, and the model may know why
            self._decided(">=" if place > 0 else "<", index, _constant(length if place > 0 else -length))

    def _membership(self, left: Node, right: Node) -> None:
        """A size among several numbers: it is one of them, or none."""
        if right.kind == "call" and len(right.parts) == 2 and self._name(right.parts[0]) in GATHERED:
            right = right.parts[1]
        table = self.leaves[right.value] if right.kind == "leaf" else None
        if isinstance(table, Table) and len(table.items) == table.length:
            items = [_constant(v) for v in table.items if type(v) in (int, tuple)]
        elif right.kind == "display":
            items = list(right.parts)
        else:
            raise _Stuck
        row = self._items(left)
        if row is not None:
            for one in items:
                if (others := self._items(one)) is not None and self._together(row, others):
                    break
            return
        items = [item for item in items if item.kind != "display"]
        value = self._base(left)
        same = [item for item in items if self._base(item) == value]
        for item in same or items:
            self._decided("==", left, item)

    def _called(self, name: str, args: Sequence[Node]) -> None:
        if name == "get":
            self._membership(args[0], self.site.operands[0])
        elif name in ("min", "max") and len(args) > 1:
            taken = self._taken(Node("call", self.site.operands))
            for other in args:
                if other is not taken:
                    self._decided("<=" if name == "min" else ">=", taken, other)
        elif name in ROUNDED and len(args) == 1 and type(self._base(args[0])) is float:
            side = self._side(args[0])
            if side.symbols:
                self.found.roundings.append(Rounding(name, side, COMPUTED[name], place=self.site.place))


def _constant(value: Any) -> Node:
    """A number, or a row of such, as part of an expression."""
    return Node("display", tuple(map(_constant, value))) if type(value) is tuple else Node("const", value=value)


_SIGNS: dict[str, Callable[[Form, Form], Form]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a - b * (a // b),
}
