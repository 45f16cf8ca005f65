"""Landmarks gathered from one decision after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from symcost.tracing.evidence.frames import shares
from symcost.tracing.evidence.frames.affine import Moving, NoNumber, NotRead, Reading, Sum, divisor, pairs
from symcost.tracing.evidence.frames.draws import drawn, steps
from symcost.tracing.evidence.frames.expressions import COMPARED, Node
from symcost.tracing.evidence.frames.landmark import Landmarks
from symcost.tracing.evidence.frames.roles import Role, role, stages
from symcost.tracing.evidence.frames.values import Table, Unreadable
from symcost.tracing.evidence.guard import OPERATORS, Guard
from symcost.tracing.evidence.normal import TURNED

SCANNED, MAX_ROUNDS = 2048, 16
"""How far a comparison of no linear form is computed, index by index, and for how many values of other loops."""
ROUNDED = ("int", "round", "ceil", "floor")
OUTCOMES: dict[str, Callable[..., bool]] = {**OPERATORS, "test": bool}


@dataclass
class Collector:
    """Landmarks while they are gathered, site by site."""

    symbols: Collection[str]
    found: dict[str, Landmarks] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.found = dict.fromkeys(self.symbols, Landmarks())
        self._places: list[str] = []  # where the site that is read stands

    def add(self, names: Collection[str], more: Landmarks) -> None:
        """Count landmarks for the depths that they may be of."""
        for name in names:
            if name in self.found:
                self.found[name] = self.found[name].joined(replace(more, places=frozenset(self._places)))

    def read(self, reading: Reading) -> None:
        """What one site says."""
        site = reading.site
        self._places = [site.place.short] if site.place.file else []
        try:
            found = drawn(reading, self.symbols)
        except NotRead:
            self.add(self.symbols, Landmarks(saw_index=True, unread=(f"{site.text} ({site.place.short})",)))
            return
        if found is not None:
            self.add(self.symbols, found)
            if site.operation != "call":
                return
        moving = [role for node in site.operands for role in reading.moving(node)]
        names = {name for role in moving for name in role.symbols}
        try:
            sees = self._site(reading)
        except NoNumber:
            return
        except NotRead:
            if moving and not self._scanned(reading) and self._matters(reading):
                self.add(names, Landmarks(saw_index=True, unread=(f"{site.text} ({site.place.short})",)))
            return
        layered = {name for role in moving if role.moves for name in role.symbols}
        if sees and layered:
            self.add(layered, Landmarks(saw_index=True))

    def _matters(self, reading: Reading) -> bool:
        """Whether what was not read may be a decision: a call of a function of the user's is seen where it runs."""
        site = reading.site
        if site.operation == "call":
            return bool(reading.known(Node("call", site.operands))) or reading.compiled(site.operands[0])
        if site.operation == "test":
            call = site.operands[0]
            if call.kind != "call" or reading.known(call):
                return True
            function = call.parts[0]
            return reading.compiled(function) or reading.role(function.value).moves
        if site.operation == "[]":
            owner = reading.role(site.operands[0].value) if site.operands[0].kind == "leaf" else Role("unknown")
            return owner.kind == "unknown"
        if site.operation == "slice":
            return site.operands[0].kind != "leaf"
        return True

    def _site(self, reading: Reading) -> bool:
        """Landmarks of one site; whether it is a decision that sees what moves."""
        operation, operands = reading.site.operation, reading.site.operands
        if operation in ("in", "not in"):
            return self._membership(reading, *operands)
        if operation in COMPARED.values():
            return self._compared(reading, operation, *operands)
        if operation in ("%", "//", "&", ">>"):
            return self._divided(reading, operation, *operands)
        if operation == "slice":
            self._cut(reading, operands[0], operands[1:])
        if operation in ("[]", "slice"):
            return self._looked_up(reading, operation, *operands)
        if operation == "repeat":
            return self._pair(">", [s for s in reading.sums(operands[0]) if s.constant], [Sum()])
        if operation == "test":
            if reading.known(operands[0]) == "get":
                return self._looked_up(reading, "[]", *operands[0].parts[:2])
            return self._compared(reading, "!=", operands[0], Node("const", value=0))
        if reading.compiled(operands[0]):
            raise NotRead("a function of a library")
        return self._called(reading, reading.known(Node("call", operands)), operands[1:])

    # -- comparisons ---------------------------------------------------------------------------------------------
    def _compared(self, reading: Reading, operation: str, left: Node, right: Node) -> bool:
        found = [node for node in (left, right) if node.kind == "call" and reading.known(node) == "get"]
        if found and not any(reading.moving(node) for node in (left, right) if node not in found):
            return _some(
                self._looked_up(reading, "[]", *node.parts[:2]) for node in found
            )  # its keys tell all there is
        for one, other in ((left, right), (right, left)):
            floats = reading.role(one.value) if one.kind == "leaf" else Role("other")
            if floats.kind == "real" and all(
                s.number is not None and floats.is_beyond(s.number) for s in reading.sums(other)
            ):
                raise NoNumber(floats.kind)  # a rate of each layer: whether it is 0, or less than 1
        sides = [reading.items(left), reading.items(right)]
        if sides[0] is not None and sides[1] is not None:
            return _some(self._pair(operation, a(), b()) for a, b in zip(*sides, strict=False))
        for one, other in ((left, right), (right, left)):
            if one.kind == "/" and all(s.number is not None for s in reading.sums(other)):
                return self._quotient(reading, operation if one is left else TURNED[operation], one.parts, other)
            share = self._called_share(reading, one) or shares.compared(reading, one)
            if share is not None and all(s.is_whole for s in reading.sums(other)):
                self._claimed(*share)
                return self._pair(operation if one is left else TURNED[operation], [share[0]], reading.sums(other))
        return self._pair(operation, reading.sums(left), reading.sums(right))

    def _quotient(self, reading: Reading, operation: str, parts: Sequence[Node], other: Node) -> bool:
        """``i / L > 0.6``: the float nearest a quotient of whole numbers is compared as the quotient is with the decimal."""
        above, below = map(reading.sums, parts)
        if not all(s.is_whole for s in (*above, *below)):
            raise NotRead("a quotient")
        numbers = [shares.decimal(s.constant) for s in reading.sums(other)]
        return self._pair(operation, above, [Sum().plus(s, number) for s in below for number in numbers])

    def _called_share(self, reading: Reading, node: Node) -> tuple[Sum, tuple[Guard, ...]] | None:
        """A share that is rounded where it is compared, ``i < int(0.3 * L)``."""
        name = reading.known(node) if node.kind == "call" and len(node.parts) == 2 else ""
        return shares.rounded(reading, node.parts[1], name) if name in ROUNDED else None

    def _claimed(self, share: Sum, claims: tuple[Guard, ...]) -> None:
        self.add(self._names([share]), Landmarks(claims=claims))

    def _pair(self, operation: str, left: Sequence[Sum], right: Sequence[Sum]) -> bool:
        return _some(self._solved(a.plus(b, Fraction(-1)), operation) for a in left for b in right)

    def _solved(self, difference: Sum, operation: str) -> bool:
        """Landmarks of ``difference op 0``."""
        names = self._names([difference])
        if not names:
            return False
        terms, sizes = difference.terms, set(difference.symbols)
        if len(terms) == 1:
            return self._one(*terms[0], difference.constant, names)
        kinds = {atom.role.kind for atom, _ in terms}
        if not sizes <= set(self.symbols) or (kinds & {"varies", "stage"} and (difference.constant or len(kinds) > 1)):
            raise NotRead("values that follow no rule")
        return self._several(terms, difference.constant, operation, names)

    def _one(self, atom: Moving, factor: Fraction, constant: Fraction, names: Collection[str]) -> bool:
        """One thing that moves, compared with a number."""
        value = -constant / factor
        match atom.kind:
            case "rest":
                return True  # its modulus is a landmark where the remainder is taken
            case "quotient":
                inside = Sum(atom.inside, atom.constant - value * atom.number)
                return self._solved(inside, "==")
            case "stage":
                self.add(names, Landmarks(frozenset(stages(atom.role, value, SCANNED))))
            case "varies":
                raise NotRead("values that follow no rule")
            case "index" | "size":
                if value >= 0:
                    self.add(names, Landmarks(frozenset({math.ceil(value)})))
        return True

    def _several(
        self, moving: Sequence[tuple[Moving, Fraction]], constant: Fraction, operation: str, names: Any
    ) -> bool:
        """An index beside a depth or another index: how far from the end, or from one another."""
        factors = [abs(c) for _, c in moving]
        plain = all(atom.kind in ("index", "size") for atom, _ in moving)
        distance = math.ceil(abs(constant) / min(factors))
        depths = {atom.role.kind for atom, _ in moving} >= {"size", "index"}
        if plain and len(moving) == 2 and factors[0] == factors[1] and not constant and depths:
            first, c = moving[0]
            below = operation == ("<" if (first.kind == "index") == (c > 0) else ">")
            if below:
                return False  # ``i < L``: the loop itself
        whole = [int(f * math.lcm(*(f.denominator for f in factors))) for f in factors]
        parts = [f for f, (atom, _) in zip(whole, moving, strict=True) if atom.kind != "size" or not (plain and depths)]
        found = {f // math.gcd(*whole) for f in parts} - {1}
        if max(found, default=1) > SCANNED:  # 0.3 as a float is a share of 2**54: nothing repeats before that
            raise NotRead("a share of the depth")
        ends = frozenset({distance}) if depths or not plain else frozenset()
        thresholds = frozenset() if depths or not distance else frozenset({distance})
        self.add(names, Landmarks(thresholds, ends, shares=frozenset(found)))
        return True

    def _membership(self, reading: Reading, left: Node, right: Node) -> bool:
        values = reading.sums(left)
        if not any(s.terms for s in values):
            return False
        table = reading.table(right)
        if right.kind == "display":
            items = [reading.sums(part) for part in right.parts]
        elif table is not None and len(table.items) == table.length:
            items = [[Sum(constant=Fraction(v))] for v in table.items if type(v) in (int, float)]
        else:
            raise NotRead("a container")
        return _some(self._pair("==", values, item) for item in items)

    # -- remainders, tables, calls -------------------------------------------------------------------------------
    def _divided(self, reading: Reading, sign: str, left: Node, right: Node) -> bool:
        values = [s for s in reading.sums(left) if s.terms]
        names = self._names(values)
        if not names:
            return False
        for by in reading.sums(right):
            divided = divisor(sign, by.number)
            if divided is not None and divided[1] == 1:  # nothing is left, and all is taken
                continue
            if divided is None or any(role.kind in ("varies", "stage") for s in values for role in s.roles):
                raise NotRead(sign)
            if divided[1] > 1:  # a remainder of ``i // 4`` comes again after as many fours
                self._by(names, values, divided[1] * math.lcm(*(_width(atom) for s in values for atom, _ in s.terms)))
        return True

    def _by(self, names: Collection[str], values: Sequence[Sum], number: int) -> None:
        """A number by which an index or the depth itself is divided."""
        kinds, by = {role.kind for s in values for role in s.roles}, frozenset({number})
        self.add(
            names,
            Landmarks(moduli=by if kinds - {"size"} else frozenset(), shares=by if "size" in kinds else frozenset()),
        )

    def _names(self, sums: Sequence[Sum]) -> set[str]:
        """The depths that sums depend on."""
        roles = [role for s in sums for role in s.roles if role.moves or role.kind == "size"]
        return {name for role in roles for name in role.symbols if name in self.symbols}

    def _cut(self, reading: Reading, owner: Node, bounds: Sequence[Node]) -> None:
        """A part of what grows with a depth, ``layers[9:]`` or ``layers[:-9]``: from so many layers on it is another one."""
        names = {name for found in reading.moving(owner) for name in found.symbols}
        if owner.kind == "leaf":
            names |= set(role(reading.columns[owner.value].length, self.symbols).symbols)
        for number in (s.number for bound in bounds for s in reading.sums(bound)):
            if number:
                end = frozenset({abs(int(number))})
                self.add(names & set(self.symbols), Landmarks(end, end if number < 0 else frozenset()))

    def _looked_up(self, reading: Reading, operation: str, owner: Node, *indices: Node) -> bool:
        sums = [s for index in indices for s in reading.sums(index)]
        names = self._names(sums)
        if not names:
            return False
        table = reading.table(owner)
        if table is None:
            if owner.kind != "leaf" or reading.role(owner.value).kind == "unknown":
                raise NotRead("a container")
            return False
        if table.kind in ("dict", "get"):
            return _some(self._pair("==", sums, [Sum(constant=Fraction(key))]) for key in _numbers(table))
        if any(atom.kind not in ("rest",) for s in sums for atom, _ in s.terms):
            self.add(names, replace(steps(table), lengths=frozenset({table.length})))
        return True

    def _called(self, reading: Reading, name: str, args: Sequence[Node]) -> bool:
        """A call of a function of Python's own."""
        match name:
            case "min" | "max" if len(args) > 1:
                sums = [reading.sums(arg) for arg in args]
                return _some(self._pair("<=", a, b) for a, b in pairs(sums))
            case "divmod" if len(args) == 2:
                return self._divided(reading, "%", *args)
            case "int" | "round" | "ceil" | "floor" if len(args) == 1:
                if (share := shares.rounded(reading, args[0], name)) is not None:
                    self._claimed(*share)
                    return self._rounded(share[0], name)
                return _some(self._rounded(s, name) for s in reading.sums(args[0]))
            case "range":
                return self._ranged([reading.sums(arg) for arg in args])
            case "zip" | "cycle" | "islice":
                return self._iterated(reading, name, args)
            case "get":
                return self._looked_up(reading, "[]", reading.site.operands[0], args[0])
        return False

    def _rounded(self, value: Sum, name: str) -> bool:
        names = self._names([value])
        by = (1 + (name == "round")) * math.lcm(*(c.denominator for _, c in value.terms))
        if not names or value.is_whole:
            return False
        if by > SCANNED:
            raise NotRead("a rounding")
        self._by(names, [value], by)
        return True

    def _ranged(self, args: Sequence[Sequence[Sum]]) -> bool:
        """A loop: where it begins and its step; that it ends at the depth says nothing."""
        start, stop = (args[0], args[1]) if len(args) > 1 else ([Sum()], args[0])
        for a in start:
            for b in stop:
                difference = b.plus(a, Fraction(-1))
                if self._names([difference]) and difference.constant and len(difference.terms) == 1:
                    self._solved(difference, ">")
                for step in args[2] if len(args) > 2 else ():
                    if self._names([difference]) and step.number is not None and abs(step.number) > 1:
                        self.add(self._names([difference]), Landmarks(moduli=frozenset({int(abs(step.number))})))
        return False

    def _iterated(self, reading: Reading, name: str, args: Sequence[Node]) -> bool:
        """Tables that are run through beside a loop over the layers, or again and again."""
        tables = [table for arg in args if (table := reading.table(arg)) is not None]
        grows = {n for arg in args for role in reading.moving(arg) for n in role.symbols}
        for table in tables:
            if name == "cycle" and table.length > 1:
                self.add(self.symbols, Landmarks(moduli=frozenset({table.length})))
            elif name != "cycle" and (grows or any(arg.kind == "opaque" for arg in args)):
                self.add(grows or self.symbols, replace(steps(table), lengths=frozenset({table.length})))
        return False

    # -- what has no linear form ---------------------------------------------------------------------------------
    def _scanned(self, reading: Reading) -> bool:
        """Where comparisons of one index change, found by computing them index by index; False where that does not tell."""
        operation, operands = reading.site.operation, reading.site.operands
        if operation == "call" and reading.known(Node("call", operands)) in ("min", "max"):
            return min((self._scan(reading, "<=", two) for two in pairs(operands[1:])), default=False)
        return operation in OUTCOMES and self._scan(reading, operation, operands)

    def _scan(self, reading: Reading, operation: str, operands: Sequence[Node]) -> bool:
        leaves = {part.value for node in operands for part in node.walk() if part.kind == "leaf"}
        roles = {k: reading.role(k) for k in leaves}
        moving = [k for k, role in roles.items() if role.kind in ("index", "size")]
        if len(moving) != 1 or any(role.kind not in ("index", "size", "const", "fixed") for role in roles.values()):
            return False
        loops = [k for k, role in roles.items() if role.kind == "fixed"]
        rounds = list(itertools.islice(itertools.product(*(roles[k].value for k in loops)), MAX_ROUNDS + 1))
        if len(rounds) > MAX_ROUNDS:
            return False
        compute = OUTCOMES[operation]
        return min(
            self._changes(
                roles[moving[0]],
                lambda value, given=given: compute(*(reading.value(n, {**given, moving[0]: value}) for n in operands)),
            )
            for given in (dict(zip(loops, values, strict=True)) for values in rounds)
        )

    def _changes(self, found: Role, outcome: Callable[[int], bool]) -> bool:
        """Where an outcome changes with an index or a depth; False where it does not settle."""
        begin = 1 if found.kind == "size" else found.first
        if found.kind == "size" and (found.slope, found.shift) != (1, 0):
            return False
        outcomes: list[bool] = []
        for index in range(begin, SCANNED):
            try:
                outcomes.append(outcome(index))
            except (Unreadable, TypeError):
                if not outcomes:
                    return False
                outcomes.append(outcomes[-1])  # beyond what is computed: too long to be a size
        changes = [k for k in range(1, len(outcomes)) if outcomes[k] != outcomes[k - 1]]
        if changes and changes[-1] > len(outcomes) // 2:
            return False
        self.add(found.symbols, Landmarks(frozenset(k + begin for k in changes), saw_index=found.moves))
        return True


def _width(atom: Moving) -> int:
    """By how many layers a quotient, of a quotient perhaps, goes on by one; 1 of all else."""
    if atom.kind != "quotient":
        return 1
    return int(atom.number) * math.lcm(*(_width(inner) for inner, _ in atom.inside))


def _numbers(table: Table) -> list[int]:
    return [v for v in table.items if type(v) is int]


def _some(answers: Iterable[bool]) -> bool:
    """Whether one is true, when all have been asked: each may leave landmarks."""
    return max(answers, default=False)
