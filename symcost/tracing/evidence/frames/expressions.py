"""What a line of a program decides: comparisons, remainders, clamps, roundings, look-ups and tests, as small trees."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symcost.tracing.evidence.frames.readers import Reader, reader
from symcost.tracing.evidence.frames.values import (
    DRAWN,
    SIGNS,
    UNKNOWN,
    Known,
    Unreadable,
    arithmetic,
    computed,
    snapshot,
)
from symcost.tracing.evidence.guard import Place

COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in",
    ast.NotIn: "not in",
}  # fmt: skip
QUOTIENTS = ("%", "//", "&", ">>")
ANSWERING = ("lt", "le", "eq", "ne", "ge", "gt", "contains", "isin", "in1d", "isclose", "allclose", "equal", "not_equal", "less",
             "less_equal", "greater", "greater_equal", "startswith", "endswith", "isdisjoint", "issubset", "issuperset",
             "fnmatch", "match", "fullmatch", "search", "is_integer")  # fmt: skip
"""Last parts of the names of functions of libraries that answer yes or no: what they ask is seen in no line of the program."""
CALLED = (*ANSWERING, "min", "max", "int", "round", "ceil", "floor", "range", "divmod", "zip", "cycle", "islice", "get", "next",
          *(function.__name__ for function in DRAWN))  # fmt: skip
"""Last parts of the names of functions that may be ones of Python's own: which they are is seen when they are called."""
DRAWING = (ast.Yield, ast.YieldFrom)
SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Span = tuple[int, int, int, int]


@dataclass(frozen=True)
class Node:
    """A part of an expression: ``const`` and ``leaf`` (an index of the site's leaves) have a value, the others parts.

    An item, ``t[i]``, and a method that is called, ``i.bit_length``, are leaves with the names of the index, or of the owner,
    as parts: where they cannot be read those are known.

    Kinds: const, leaf, neg, the signs of arithmetic, ``call`` (the function's leaf first), ``display`` of several,
    ``either`` of several, and ``opaque``, of which only the names in it are known.
    """

    kind: str
    parts: tuple[Node, ...] = ()
    value: Any = None

    def walk(self) -> Iterator[Node]:
        """It and all its parts."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Leaf:
    """An expression that is read as it is: a name, an attribute, an item."""

    text: str
    read: Reader

    def value(self, own: Mapping[str, Any], outer: Mapping[str, Any]) -> Any:
        """What is kept of its value."""
        try:
            return snapshot(self.read(own, outer))
        except Unreadable:
            return UNKNOWN


@dataclass(frozen=True, eq=False)
class Site:
    """One decision of a program: where it is, its operation, its operands, and what of them is read in a frame."""

    place: Place
    operation: str
    operands: tuple[Node, ...]
    leaves: tuple[Leaf, ...]
    text: str
    span: Span
    decides: bool = False
    """Whether a branch hangs on it at once."""
    negated: tuple[Span, ...] = ()
    """Where ``not`` turns it round, once or more often: since Python 3.13 its instruction may stand there."""
    behind: tuple[tuple[Leaf, bool], ...] = ()
    """Flags before it in an ``and`` or an ``or``, and what each must be, or Python does not come to it."""

    def reached(self, own: Mapping[str, Any], outer: Mapping[str, Any]) -> bool:
        """Whether Python comes to it, as far as plain flags tell."""
        flags = ((leaf.value(own, outer), wanted) for leaf, wanted in self.behind)
        return not any(type(value) is bool and value is not wanted for value, wanted in flags)

    def values(self, own: Mapping[str, Any], outer: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of its leaves."""
        return tuple(leaf.value(own, outer) for leaf in self.leaves)


def evaluated(node: Node, leaf: Callable[[int], Any]) -> Any:
    """The value of numbers and calls of Python's own, by Python's arithmetic; :class:`Unreadable` for all else."""
    match node.kind:
        case "const":
            return node.value
        case "leaf":
            return leaf(node.value)
        case "neg":
            return arithmetic("-", 0, evaluated(node.parts[0], leaf))
        case "call":
            function = leaf(node.parts[0].value)
            if not isinstance(function, Known):
                raise Unreadable("a call")
            return computed(function.name, [evaluated(part, leaf) for part in node.parts[1:]])
        case "display" | "either" | "opaque":
            raise Unreadable(node.kind)
    left, right = (evaluated(part, leaf) for part in node.parts)
    return arithmetic(node.kind, left, right)


Aliases = Mapping[tuple[str, int], ast.expr]
"""By name and line, what a name stands for that gets its value within the line: ``(k := i % 4)``, a pattern's capture."""


class _Builder:
    """The trees of one site's operands, over the leaves that they share."""

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = dict(aliases)
        self.leaves: list[Leaf] = []

    def leaf(self, node: ast.expr) -> Node:
        text = ast.unparse(node)
        known = [leaf.text for leaf in self.leaves]
        if text not in known:
            self.leaves.append(Leaf(text, reader(node)))
            known.append(text)
        return Node("leaf", value=known.index(text))

    def _part(self, node: ast.expr, told: ast.expr) -> Node:
        """A leaf with the names that tell which one it is."""
        return replace(self.leaf(node), parts=tuple(map(self.leaf, _names(told))))

    def build(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant(value=value):
                return Node("const", value=snapshot(value))
            case ast.NamedExpr(value=value):
                return self.build(value)
            case ast.Name(id=name) if (name, node.lineno) in self.aliases:
                value = self.aliases.pop((name, node.lineno))  # within its own value a name is what it was before
                built = self.build(value)
                self.aliases[name, node.lineno] = value
                return built
            case ast.Attribute(value=owner) | ast.Subscript(value=owner) if _calls(owner):
                pass  # a part of a result: what it was made of says more than that it is not known
            case ast.Name() | ast.Attribute() | ast.Dict() | ast.Subscript(slice=ast.Constant() | ast.UnaryOp()):
                return self.leaf(node)
            case ast.Subscript(slice=index) if not isinstance(index, ast.Slice | ast.Tuple):
                return self._part(node, index)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Node("neg", (self.build(operand),))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
                return Node(SIGNS[type(op)], (self.build(left), self.build(right)))
            case ast.IfExp(body=first, orelse=second):
                return Node("either", (self.build(first), self.build(second)))
            case ast.BoolOp(values=values):
                return Node("either", tuple(map(self.build, values)))
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return Node("either", (Node("const", value=0), Node("const", value=1)))
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                if not any(isinstance(part, ast.Starred) for part in parts):
                    return Node("display", tuple(map(self.build, parts)))
            case ast.Call(func=ast.Name() | ast.Attribute() as function, args=args) if _plain(node) and _named(
                function
            ):
                called = self.leaf(function) if isinstance(function, ast.Name) else self._part(function, function.value)
                return Node("call", (called, *map(self.build, args)))
        return Node("opaque", tuple(map(self.leaf, _names(node))))


def _names(node: ast.expr) -> list[ast.expr]:
    """The names that an expression reads."""
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]


def sites(tree: ast.Module, file: str, lines: list[str]) -> list[Site]:
    """All decisions of a file, each with the place in the text by which its instructions are known."""
    aliases = _aliases(tree)
    tests = {id(test) for node in ast.walk(tree) for test in _tests(node)}
    negated, behind = _negated(tree), _behind(tree)

    def make(node: Any, operation: str, operands: tuple[ast.expr, ...], pattern: Any = None) -> Site:
        builder = _Builder(aliases)
        built = tuple(map(builder.build, operands))
        at = node if pattern is None else pattern
        line = lines[at.lineno - 1].strip() if at.lineno <= len(lines) else ""
        text = ast.unparse(node) if pattern is None else f"{ast.unparse(operands[0])} == {ast.unparse(operands[1])}"
        decides = pattern is not None or id(node) in tests
        place, leaves = Place(file, at.lineno, line), tuple(builder.leaves)
        return Site(place, operation, built, leaves, text, _span(at), decides, negated.get(id(at), ()),
                    behind.get(id(node), ()))  # fmt: skip

    found: list[Site] = []
    for node in ast.walk(tree):
        found += _of(node, make)
        if isinstance(node, ast.expr) and id(node) in tests and not _told(node):
            found.append(make(node, "test", (node,)))
    return found


def _span(node: Any) -> Span:
    """Where a part of a program stands in the text."""
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _negated(tree: ast.Module) -> dict[int, tuple[Span, ...]]:
    """Of each expression that ``not`` turns round, once or more often, the places of all of them."""
    found: dict[int, tuple[Span, ...]] = {}
    for node in ast.walk(tree):  # from the outside
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                found[id(operand)] = (*found.get(id(node), ()), _span(node))
    return found


def _behind(tree: ast.Module) -> dict[int, tuple[tuple[Leaf, bool], ...]]:
    """Of each part of an ``and`` or an ``or``, the flags before it with what they must be for Python to come to it."""
    found: dict[int, tuple[tuple[Leaf, bool], ...]] = {}
    for node in ast.walk(tree):  # from the outside
        if isinstance(node, SCOPES):
            continue  # names are others there
        flags = found.get(id(node), ())
        for child in ast.iter_child_nodes(node):
            if flags:
                found[id(child)] = flags
            if isinstance(node, ast.BoolOp) and child in node.values:
                flags = (*flags, *_flag(child, isinstance(node.op, ast.And)))
    return found


def _flag(node: ast.AST, wanted: bool) -> Iterator[tuple[Leaf, bool]]:
    """A name or an attribute that must be true, or not, if it is one."""
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node, wanted = node.operand, not wanted
    if isinstance(node, ast.Name | ast.Attribute):
        yield Leaf(ast.unparse(node), reader(node)), wanted


def _told(node: ast.expr) -> bool:
    """Whether the parts of a test say all that it does."""
    negated = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return negated or isinstance(node, ast.Compare | ast.BoolOp | ast.Constant)


def _of(node: ast.AST, make: Callable[..., Site]) -> Iterator[Site]:
    """The decisions that one part of a program makes itself."""
    match node:
        case ast.Compare(left=first, ops=ops, comparators=others):
            sides = (first, *others)
            for op, left, right in zip(ops, sides, others, strict=False):
                if type(op) in COMPARED:
                    yield make(node, COMPARED[type(op)], (left, right))
        case ast.BinOp(left=left, op=op, right=right) if SIGNS.get(type(op)) in QUOTIENTS:
            yield make(node, SIGNS[type(op)], (left, right))
        case ast.AugAssign(target=ast.Name() | ast.Attribute() as target, op=op, value=value):
            if SIGNS.get(type(op)) in QUOTIENTS:
                yield make(node, SIGNS[type(op)], (target, value))
        case ast.Call(func=ast.Name(id="len"), args=[ast.Set(elts=parts)]):
            yield make(node, "distinct", tuple(parts))
        case ast.Call(func=function, args=args) if _last(function) in CALLED and args and _plain(node):
            yield make(node, "call", (function, *args))
        case ast.Call(func=ast.Attribute(value=owner, attr="pop" | "popleft")):
            yield make(node, "pop", (owner,))
        case ast.Subscript(value=owner, slice=ast.Slice(lower=lower, upper=upper), ctx=ast.Load()):
            yield make(node, "slice", (owner, *(part for part in (lower, upper) if part is not None)))
        case ast.Subscript(value=owner, slice=index, ctx=ast.Load()) if not isinstance(index, ast.Tuple):
            if not isinstance(index, ast.Constant):
                yield make(node, "[]", (owner, index))
        case ast.BinOp(left=ast.List() | ast.Tuple(), op=ast.Mult(), right=count):
            yield make(node, "repeat", (count,))
        case ast.BinOp(left=count, op=ast.Mult(), right=ast.List() | ast.Tuple()):
            yield make(node, "repeat", (count,))
        case ast.For(iter=table) if any(isinstance(part, ast.Break | ast.Return) for part in ast.walk(node)):
            yield make(table, "until", (_run_through(table),))
        case ast.FunctionDef() if len(yields := [part for part in ast.walk(node) if isinstance(part, DRAWING)]) > 1:
            yield from (make(part, "yield", ()) for part in yields)
        case ast.YieldFrom(value=table):
            yield make(node, "until", (table,))
        case ast.Match(subject=subject, cases=cases):
            for case in cases:
                for compared, constant in _patterns(case.pattern, subject):
                    yield make(compared, "==", (compared, constant), subject)


def _run_through(node: ast.expr) -> ast.expr:
    """What a loop runs through in the end: what is counted, or turned round, beside it."""
    while isinstance(node, ast.Call) and _last(node.func) in ("enumerate", "reversed", "list", "tuple", "iter"):
        if not node.args:
            break
        node = node.args[0]
    return node


def _tests(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions on whose truth a branch hangs in a part of a program."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            yield test
        case ast.comprehension(ifs=conditions):
            yield from conditions
        case ast.BoolOp(values=values):
            yield from values
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.match_case(guard=ast.expr() as test):
            yield test


def _plain(call: ast.Call) -> bool:
    """Whether a call's arguments are told one by one, and none changes what the function is."""
    return not any(isinstance(arg, ast.Starred) for arg in call.args) and {k.arg for k in call.keywords} <= {"strict"}


def _named(function: ast.expr) -> bool:
    """Whether a function is had by its name, not made by an expression: ``str(i).endswith`` hides what it is of."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return isinstance(function, ast.Name)


def _calls(node: ast.expr) -> bool:
    """Whether something is called in an expression."""
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def _last(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _patterns(pattern: ast.pattern, subject: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a pattern compares with what."""
    match pattern:
        case ast.MatchValue(value=value):
            yield subject, value
        case ast.MatchOr(patterns=patterns):
            for part in patterns:
                yield from _patterns(part, subject)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            yield from _patterns(inner, subject)
        case ast.MatchSequence(patterns=patterns) if isinstance(subject, ast.Tuple | ast.List):
            for part, owner in zip(patterns, subject.elts, strict=False):
                yield from _patterns(part, owner)


def _aliases(tree: ast.Module) -> dict[tuple[str, int], ast.expr]:
    """Names that get their value within the line that goes on to use them."""
    found: dict[tuple[str, int], ast.expr] = {}
    for node in ast.walk(tree):
        match node:
            case ast.NamedExpr(target=target, value=value):
                found[target.id, target.lineno] = value
            case ast.Match(subject=subject, cases=cases):
                for case in cases:
                    if isinstance(case.pattern, ast.MatchAs) and case.pattern.name and case.guard is not None:
                        found[case.pattern.name, case.guard.lineno] = subject
    return found
