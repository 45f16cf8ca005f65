"""Closed forms in pieces: where a program decides by its sizes, each side has a form of its own, certified like any."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from symcost.formulas.form import Form
from symcost.tracing.beyond import Piece, bounds_of
from symcost.tracing.checking.derived import points_inside
from symcost.tracing.domain.domain import Domain
from symcost.tracing.evidence.guard import Guard, all_hold, both_ways, strongest
from symcost.tracing.evidence.loops import loops
from symcost.tracing.fitting.lift import Sampler
from symcost.tracing.sampling.sample import LARGE, MULTIPLES, TINY, Point, Values

STEPS = (256, 96, 224, 64, 32, 16, 8, 4, 3, 2)
"""Multiples to try, coarse ones first: a derivation finds out which finer ones are right too."""
FURTHEST = 5000
ELSEWHERE = 3
"""Points that are tried where none of the nearest ones is inside the domain."""
ALONE = 2
"""Points at which no other decision falls another way."""
DEEPER = 3
"""So many decisions behind one another are followed; what is decided behind those counts as another program."""
PAIRED = 12
"""So many other decisions are looked at together with one that does not matter alone."""
AHEAD = 300
"""So far beyond a decision's number other values of the domain are looked for."""
MOST_NUMBERS = 6
"""So many of the numbers that a decision is written with, the largest, tell where it may fall the other way."""
SPARSE = 25
"""Of pairs of values that lie about a point together there are too many: one in so many of each is looked at."""
JOINT = 4
"""Points with several symbols moved at once."""
CORNER = (1, 4, 3, 2, 2, 2)
"""The largest of the small sizes that are tried with each other, by how many symbols they are of."""
MAX_DEPTHS = 40
"""As many depths on the other side are all sampled."""
LEAST = 4
"""Values below a bound of which a closed form may be derived: a square and one more."""
FIRST = 6
"""Values of a symbol that a derivation samples first: all of them must lie on one side of a decision."""


@dataclass
class Side:
    """What lies on the other side of a decision that held where a form was sampled."""

    piece: Piece
    guard: Guard
    values: Mapping[str, Values]
    within: Sequence[Guard] = ()
    """Decisions that fall as they were seen on both sides."""
    seen: Point = field(default_factory=dict)
    """The point at which it was seen: a program so deep that every kind of layer is in it."""
    look: Callable[[Point], Sequence[Guard] | None] = field(default=lambda point: ())
    """What the program is seen to decide at another point, or nothing where that cannot be seen."""
    known: Collection[Guard] = ()
    """Decisions that are looked at by themselves."""
    deeper: int = DEEPER

    @property
    def exception(self) -> tuple[str, int] | None:
        """The symbol and its only value on the other side, as in ``r != 224``."""
        names, number = self.guard.symbols, self.guard.number
        if self.guard.op != "!=" or len(names) != 1 or number is None:
            return None
        (name,) = names
        return (name, number) if self.guard.left == Form.symbol(name) and number > 0 else None

    def freed(self) -> None:
        """The form's own domain without the bound that this decision is: beyond it another form holds."""
        domain = self.piece.domain
        for bounds, decision in bounds_of(self.piece):
            for name in [name for name, each in decision.items() if strongest((self.guard, each)) == (self.guard,)]:
                domain.notes[:] = [
                    note for note in domain.notes if not note.startswith(f"above {name} = {bounds[name]}:")
                ]
                del bounds[name]
        if self.exception is not None:
            name, number = self.exception
            others = domain.other_than.pop(name, frozenset()) - {number}
            domain.other_than |= {name: others} if others else {}
            if domain.at_least.get(name) == number + 1:
                del domain.at_least[name]
                if number > 1:  # of sizes below nothing is known
                    domain.at_least[name] = number

    def verdict(self) -> str:
        """What the form is on the other side: ``alike``, where it is right; ``other``; or ``beyond`` its domain."""
        explorer, domain = self.piece.explorer, self.piece.domain
        near = self.points
        points = [*near, *self._inside(), *self._lowest(), *self._corner(), *self._denied(explorer.met)]
        inside = [point for point in points if domain.problem(point) is None] or self._elsewhere()
        inside += self._isolated(inside)
        if any(explorer.difference(point) is not None for point in inside) or (not inside and self._raises()):
            return "other"
        beside = [point for point in near if point in inside] or inside  # where it is looked at once more: not far away
        if beside and self._hides(beside[-1]):
            return "other"
        outside = itertools.chain((p for p in points if p not in inside), self._multiples())
        return "beyond" if any(map(self._filled, outside)) else "alike"

    def _filled(self, point: Point) -> bool:
        """Whether the model works at a point, and not on empty arrays alone there: of what is too short nothing is left."""
        sampler = self.piece.explorer.sampler
        return sampler.works(point) and (not sampler(point).has_empty or sampler(self._base).has_empty)

    def relaxed(self) -> Side | None:
        """Beyond a bound of one more, where the form is right at the first sizes beyond this one: ``T = N``."""
        explorer, bound = self.piece.explorer, self.guard.relaxed
        edge = [point for point in self.points if bound is not None and bound.holds(point)]
        if bound is None or not edge or any(explorer.difference(point) is not None for point in edge):
            return None
        return replace(self, guard=bound)

    def matters_with(self, others: Iterable[Guard]) -> Guard | None:
        """The first other decision with which both falling the other way makes the form wrong, though neither matters alone."""
        explorer = self.piece.explorer
        met = ((other, self._both(replace(self, guard=other))) for other in itertools.islice(others, PAIRED))
        inside = ((other, point) for other, point in met if point and self.piece.domain.problem(point) is None)
        return next((o for o, p in inside if explorer.sampler.works(p) and explorer.difference(p) is not None), None)

    def _both(self, other: Side) -> Point | None:
        """A point at which both fall the other way, and earlier ones as they were seen."""
        for own, beside in itertools.product(self.points, other.points):
            point = {**own, **{name: beside[name] for name in other.guard.symbols & set(beside)}}
            denied = not self.guard.holds(point) and not other.guard.holds(point)
            if denied and all_hold(self.within, point):
                return point
        return None

    def _elsewhere(self) -> list[Point]:
        """A few points on the other side anywhere inside the domain, where none of the nearest ones is."""
        base = self._base
        names = tuple(sorted(self.guard.symbols & set(base)))
        points = itertools.chain(points_inside(names, self.piece.domain, base), self._dense(names, base))
        return list(itertools.islice(filter(self.piece.explorer.sampler.works, self._denied(points)), ELSEWHERE))

    def _isolated(self, inside: Sequence[Point]) -> list[Point]:
        """Points inside the domain at which this decision alone falls the other way, where no point yet is one.

        Where two fall so at once, one may make up for the other: ``d % 5`` and ``d % 7`` beside the number of divisors.
        """
        base, domain = self._base, self.piece.domain
        others = [each for each in self.known if each.holds(base) and each not in (self.guard, self.guard.denied)]
        if self.deeper < DEEPER or any(all_hold(others, point) for point in inside):
            return []
        moved = {name: [each for each in others if name in each.symbols] for name in self._free()}
        points = (({**base, name: value}, near) for name, near in moved.items() for value in range(1, FURTHEST))
        alone = (p for p, near in points if not self.guard.holds(p) and all_hold(near, p) and domain.problem(p) is None)
        return list(itertools.islice((point for point in alone if self.piece.explorer.sampler.works(point)), ALONE))

    def _raises(self) -> bool:
        """Whether the model raises wherever the decision falls the other way inside the domain: odd widths beside odd heads."""
        shared = {
            name for form in self.piece.domain.whole if form.symbols & self.guard.symbols for name in form.symbols
        }
        names = tuple(sorted((self.guard.symbols | shared) & set(self._base)))
        if len(names) < 2 or not isinstance(self.piece.domain, Domain):
            return False
        found = [*itertools.islice(self._denied(points_inside(names, self.piece.domain, self._base)), ELSEWHERE)]
        return bool(found) and not any(map(self.piece.explorer.sampler.works, found))

    def _dense(self, names: Sequence[str], base: Point) -> Iterator[Point]:
        """Every value of a lone symbol inside the domain: a decision may fall the other way at few of them, ``N ^ 1 > 100``."""
        if len(names) > 1 or set(names) & set(self.piece.explorer.structural) or self.deeper < DEEPER:
            return
        points = ({**base, name: value} for name in names for value in range(1, FURTHEST))
        beyond = (point for point in points if not self.guard.holds(point))
        yield from (point for point in beyond if self.piece.domain.problem(point) is None)

    def different(self) -> list[Point]:
        """Points on the other side, below an edge of the domain too, at which the form is wrong."""
        explorer = self.piece.explorer
        return [p for p in self.points if explorer.sampler.works(p) and explorer.difference(p) is not None]

    def _hides(self, point: Point) -> bool:
        """Whether the program decides something there that it was not asked elsewhere, and that is of account."""
        found = self.look(point) if self.deeper or loops([self.guard]) else None
        if found is None:
            return True
        known = {*self.known, *both_ways([self.guard])}
        fresh = [each for each in found if each not in known]
        if not self.deeper:  # a loop goes on deciding: how far its form holds is tried
            return [each.place for each in loops([*fresh, self.guard])] != [self.guard.place] * (len(fresh) + 1)
        behind = replace(self, within=(*self.within, self.guard.denied), seen=point, known=known.union(both_ways(fresh)),
                         deeper=self.deeper - 1)  # fmt: skip
        return any(replace(behind, guard=each).verdict() == "other" for each in fresh)

    @cached_property
    def points(self) -> list[Point]:
        """Points on the other side: the nearest ones below and above, and one far away, symbol by symbol."""
        found: dict[tuple[tuple[str, int], ...], Point] = {}
        for base in self._bases:
            for name in sorted(self.guard.symbols & set(base)):
                outside = self._outside(name, base, self._near(name, base)) or self._outside(
                    name, base, self._by_numbers(name)
                )
                above, below = [v for v in outside if v > base[name]], [v for v in outside if v < base[name]]
                for value in (*above[:2], *above[-1:], *below[-2:]):
                    point = {**base, name: value}
                    found[tuple(sorted(point.items()))] = point
        return list(found.values()) or self._joint_points(self._bases[-1])

    @property
    def _bases(self) -> list[Point]:
        """The points that others are looked for from: the first samples and where it was seen, behind a decision there alone."""
        bases = [{n: values[k] for n, values in self.values.items()} for k in ((0, 1) if self.exception else (0,))]
        if set(self.seen) >= set(self.values):
            there = {name: self.seen[name] for name in self.values}
            there |= {name: bases[0][name] for name in self._alike_in_depth}
            bases += [there] if there not in bases else []
        return bases[-1:] if self.deeper < DEEPER else bases

    @property
    def _alike_in_depth(self) -> list[str]:
        """Depths of which a few layers tell as much as many: all are alike, and the decision is none of their number."""
        explorer = self.piece.explorer
        free = set(explorer.structural) - self.guard.symbols
        return [] if explorer.patterned or self.deeper < DEEPER else [name for name in self.values if name in free]

    def _outside(self, name: str, base: Point, values: Iterable[int]) -> list[int]:
        """Those values of a symbol with which the decision falls the other way."""
        near = ({**base, name: value} for value in values)
        return [point[name] for point in self._denied(near)]

    def _inside(self) -> list[Point]:
        """Points at the first values beyond the decision's number, and beyond its double, at which all else is as in the domain.

        The very next ones may be such that another decision falls the other way there, ``N % 24 == 0`` beside ``N <= 4096``.
        """
        number, base = self.guard.number or 0, self._base
        found: list[Point] = []
        for name in self._free() if number > 1 else ():
            for first, step, most in ((number, 1, 2), (number, -1, 1), (2 * number, 1, 1)):
                points = ({**base, name: first + k * step} for k in range(1, AHEAD) if first + k * step > 0)
                inside = (p for p in points if not self.guard.holds(p) and self.piece.domain.problem(p) is None)
                found += itertools.islice(inside, most)
        return [point for point in found if self._behind(point)]

    def _lowest(self) -> list[Point]:
        """Points at the smallest value of each symbol on the other side: below an edge of the domain, perhaps."""
        base, found = self._base, []
        for name in self._free():
            below = [v for v in self._outside(name, base, self._near(name, base)) if v < base[name]]
            found += [{**base, name: value} for value in below[:1]]
        return found

    def _corner(self) -> list[Point]:
        """Points at the smallest sizes of all its symbols together: orders of a contraction fall another way at few of them."""
        names = self._free()
        most = CORNER[len(names) - 1] if 1 < len(names) <= len(CORNER) else 0
        every = itertools.product(range(1, most + 1), repeat=len(names))
        base = self._bases[0]
        points = ({**base, **dict(zip(names, sizes, strict=True))} for sizes in sorted(every, key=sum))
        return list(itertools.islice(self._denied(points), JOINT))

    def _multiples(self) -> Iterator[Point]:
        """Points at multiples below a bound: a width that groups divide works at few others."""
        points = ({**self._base, name: values[0]} for name in self._free() for values in self._below() if values)
        return self._denied(points)

    @property
    def _base(self) -> Point:
        """The first sample."""
        return {name: values[0] for name, values in self.values.items()}

    def _free(self) -> list[str]:
        """The sizes that the decision depends on: no depths."""
        return sorted(self.guard.symbols & set(self.values) - set(self.piece.explorer.structural))

    def _by_numbers(self, name: str) -> list[int]:
        """Values about the numbers that the decision is written with, ``5000`` of ``N//5000 == 0``, in order; of depths none."""
        if name in self.piece.explorer.structural:
            return []
        sides = (self.guard.left, self.guard.right)
        numbers = sorted(set().union(*(_numbers(side) for side in sides if isinstance(side, Form))))[-MOST_NUMBERS:]
        pairs = [(above, below) for above in numbers for below in (1, *numbers)]
        parts = {part for above, below in pairs for part in (above // below, above * below)}
        return sorted({v for part in parts for k in (1, 2, 3) for e in (-1, 0, 1) if (v := k * part + e) > 1})

    def _joint_points(self, base: Point) -> list[Point]:
        """Points on the other side with two symbols moved at once, where none is with one: ``h*w = 784``."""
        names = sorted(self.guard.symbols & set(base))
        for one, other in itertools.combinations(names, 2):
            pairs = itertools.product(self._near(one, base, SPARSE), self._near(other, base, SPARSE))
            points = ({**base, one: left, other: right} for left, right in pairs)
            outside = (p for p in points if not self.guard.holds(p) and all_hold(self.within, p))
            found = list(itertools.islice(outside, JOINT))
            if found:
                return found
        return []

    def _denied(self, points: Iterable[Point]) -> Iterator[Point]:
        """Those of some points at which the decision falls the other way, and those that lead to it as where it was seen."""
        return (point for point in points if not self.guard.holds(point) and self._behind(point))

    def _behind(self, point: Point) -> bool:
        """Whether decisions that lead to this one fall there as they did where it was seen."""
        return self.deeper == DEEPER or all_hold(self.within, point)

    def _near(self, name: str, base: Point, step: int = 1) -> list[int]:
        """Values at which the decision may fall the other way, in order; behind another decision near the base too."""
        sizes = [value for other, value in base.items() if other != name]
        sizes += [] if self.guard.number is None else [self.guard.number]
        sizes += self._turns(name)
        around = range(base[name] - AHEAD, base[name] + AHEAD, step) if self.deeper < DEEPER else ()
        beside = {k * size // d + e for size in sizes for k, d in ((1, 1), (2, 1), (1, 2)) for e in (-1, 0, 1)}
        least = 1 if name not in self.piece.explorer.given and self._only(name) == (1,) else 2
        near = {*range(least, 70), *LARGE, *(s * m for s in STEPS for m in MULTIPLES[:2]), *beside, *around}
        return sorted(value for value in near if value >= least)

    def _turns(self, name: str) -> list[int]:
        """Values at which a floor in the decision goes on: 9,000 for ``floor(N/9000)``."""
        sides = [side for side in (self.guard.left, self.guard.right) if isinstance(side, Form)]
        inside = [argument for side in sides for argument in side.floor_arguments() if name in argument.symbols]
        return [math.ceil(1 / abs(c)) for argument in inside for mono, c in argument.terms.items() if mono]

    def attempts(self, sampler: Sampler) -> Iterator[tuple[Sampler, dict[str, Values]]]:
        """Samplers and samples with which the program may be derived on the other side."""
        base, most = self._base, None if self.guard.op == ">=" else MAX_DEPTHS + 1
        for name in sorted(self.guard.symbols & set(base)):
            there = self._there(name, base, range(1, FURTHEST), most)
            if len(there) == 1 and self._only(name) == there:
                model = replace(sampler.model, fixed={**sampler.model.fixed, name: there[0]})
                yield Sampler(model, sampler.on_trace, sampler.keys, sampler.macs), {}
                continue
            for values in (*self._below(), *self._pools(name), there):
                depth = name in self.piece.explorer.structural and len(there) <= MAX_DEPTHS
                outside = there if depth else self._there(name, base, values, 12)
                points = [{**base, name: value} for value in outside[:3]]
                below = values and self.guard.op == ">=" and max(values) < (self.guard.number or 0)
                enough = LEAST if below else FIRST + 1
                if len(outside) >= enough and self._apart(name, outside) and all(map(self._filled, points)):
                    yield sampler, {name: outside}

    def _there(self, name: str, base: Point, values: Iterable[int], most: int | None = None) -> Values:
        """The first values with which the decision falls the other way, and earlier ones fall as they were seen."""
        points = ({**base, name: value} for value in values)
        there = (p[name] for p in points if not self.guard.holds(p) and all_hold(self.within, p))
        return tuple(itertools.islice(there, most))

    def _only(self, name: str) -> Values:
        """The values there, whatever the other symbols are; the first two where there are more."""
        own = [each for each in (self.guard.denied, *self.within) if each.symbols == {name}]
        alone = len(self.guard.symbols) == 1
        there = (v for v in range(1, FURTHEST) if all_hold(own, {name: v}))
        return tuple(itertools.islice(there, 2)) if alone else ()

    def _apart(self, name: str, values: Values) -> bool:
        """Whether no pair of first values lies on the side that is known already."""
        others = [n for n in self.guard.symbols if n != name]
        points = itertools.product(values[:FIRST], *(self.values[n][:FIRST] for n in others))
        return not any(self.guard.holds({**dict(zip(others, rest, strict=True)), name: v}) for v, *rest in points)

    def _pools(self, name: str) -> Iterator[Values]:
        """Values that may lie there: those at hand, beyond a bound, on multiples, small ones."""
        yield self.values[name]
        beyond = max(self.values[name]) if self.guard.number is None else self.guard.number
        yield tuple(beyond + value for value in LARGE)
        for step in STEPS:
            yield tuple(step * (beyond // step + factor) for factor in MULTIPLES)
        yield TINY

    def _below(self) -> Iterator[Values]:
        """Multiples from half a lower bound to below it; of a bound in millions the first of them."""
        bound = self.guard.number if self.guard.op == ">=" else None
        if bound is None:
            return
        for step in STEPS:
            yield tuple(range(-(-bound // (2 * step)) * step, bound, step)[:FURTHEST])


def _numbers(form: Form) -> set[int]:
    """The whole numbers that a form is written with, those below a line too."""
    found: set[int] = set()
    for coefficient, atoms in form.atoms():
        found |= {abs(coefficient.numerator), coefficient.denominator}
        found = found.union(*(_numbers(arg) for atom, _ in atoms for arg in atom.args))
    return found - {0, 1}
