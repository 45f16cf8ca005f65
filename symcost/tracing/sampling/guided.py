"""Values that a program's own decisions allow, ``d`` a multiple of ``2*H`` and ``H`` of ``K``, found without a trace.

A model that works at one point and raises at the next has decided something there: a width is divided by heads, a table is
at least as long as a sequence. One recording at the point tells what, and values that meet it are found by arithmetic.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from symcost.formulas.form import Form
from symcost.tracing.evidence.guard import Guard, all_hold
from symcost.tracing.evidence.normal import is_remainder
from symcost.tracing.evidence.record import Recording
from symcost.tracing.sampling.sample import (
    FACTORY_ROLES,
    GENERIC,
    INPUT_ROLES,
    LARGER,
    TINY,
    Point,
    Values,
    multiples,
)

BASES = (12, 24, 48, 6, 96, 384, 1152, 4608, 9216, 2, 3, 5)
"""Where a parameter that meets decisions may begin, generic ones first; an input begins in its roles before."""
POOL = tuple(sorted({v for role in (*FACTORY_ROLES, *INPUT_ROLES, GENERIC, LARGER) for v in role}))
ENOUGH, MOST, TRIED, COMPARED, RECORDED, LOOKED_AT = 5, 12, 400, 12, 3, 30_000
"""Values along an axis that are enough, and at most; points that are tried along all axes, those that are compared, recordings
made at them, and steps on the way to them."""
FEW: Values = (6, 12, 9, 10, 8, 7, 4, 3)
"""Sizes beside which another one may be longer."""
ASKED = 12
"""How many conditions of a model that raises are met, one after the other."""
LOOKED_FOR = 200
"""Values of a parameter up to here are asked whether the model takes them."""


def guided(
    seen: Recording,
    plan: Mapping[str, Values],
    failing: Sequence[str],
    inputs: Sequence[str],
    record: Callable[[Point], Recording | None],
) -> dict[str, Values] | None:
    """The plan with other values for the symbols that meet in the decisions of the failing axes, where there are some.

    ``record`` sees what is decided at another point, or nothing where the model raises there.
    """
    asked = [guard for guard in seen.guards if _asks(guard) and guard.symbols <= seen.proved]
    equal = [guard for guard in seen.guards if guard.op == "==" and not _asks(guard) and len(guard.symbols) > 1]
    names = _meeting([*failing, *(name for guard in equal for name in sorted(guard.symbols))], asked)
    if not names or not seen.proved >= set(names):
        return None
    found = _values(names, plan, asked, inputs, record, seen.sizes)
    return {**plan, **found} if found else None


def mended(
    plan: Mapping[str, Values],
    free: Sequence[str],
    inputs: Sequence[str],
    raised: Callable[[Point], Recording | None],
    record: Callable[[Point], Recording | None],
) -> dict[str, Values] | None:
    """A plan at whose base a model works that raised wherever it was tried: what it asked last before is met, one by one.

    ``raised`` sees what is decided up to where the model raises, or nothing where it does not; ``record`` where it works.
    """
    base, asked = {name: values[0] for name, values in plan.items()}, list[Guard]()
    for _ in range(ASKED):
        seen = raised(base)
        if seen is None:
            break
        last = next((guard.denied for guard in reversed(seen.guards) if guard.symbols <= set(free)), None)
        if last is None or last in asked:
            return None
        asked.append(last)
        names = _meeting(sorted(last.symbols), asked)
        fixed = {name: value for name, value in base.items() if name not in names}
        found = next(_bases(names, plan, inputs, fixed, asked), None)
        if found is None:
            return None
        base = {**base, **found}
    seen = record(base)
    if seen is None or not asked:
        return None
    asked += [guard for guard in seen.guards if _asks(guard) and guard.symbols <= set(free)]
    names = list(dict.fromkeys(name for guard in asked for name in sorted(guard.symbols)))
    axes = {name: along(name, base, lambda point: all_hold(asked, point)) for name in names}
    return {**plan, **{n: (base[n], *values) for n, values in axes.items()}} if all(axes.values()) else None


def allowed(seen: Recording, free: Collection[str]) -> dict[str, Values]:
    """Values of a parameter at which a decision falls otherwise than where the model raised, ``(depth - 4) % 6 != 0``.

    The last one of a single parameter that has such values is taken; the smallest of them, which may be too small, is left out.
    """
    for guard in reversed(seen.guards):
        for name in guard.symbols & set(free) if len(guard.symbols) == 1 else ():
            values = [v for v in range(1, LOOKED_FOR) if not guard.holds({name: v})]
            if len(values) > ENOUGH and is_remainder(guard.left):
                return {name: tuple(values[1 : MOST + 1])}
    return {}


def across(
    seen: Recording,
    plan: Mapping[str, Values],
    guard: Guard,
    within: Sequence[Guard],
    inputs: Sequence[str],
    record: Callable[[Point], Recording | None],
) -> dict[str, Values] | None:
    """Values of the symbols that meet in a decision with which it falls the other way, and others as they were seen."""
    sides = (guard, guard.denied)
    others = [
        each for each in (*within, *seen.guards) if _asks(each) and each.symbols <= seen.proved and each not in sides
    ]
    asked = [guard.denied, *dict.fromkeys(others)]
    names = _meeting(sorted(guard.symbols), asked)
    return _values(names, plan, asked, inputs, record, seen.sizes) if seen.proved >= set(names) else None


def jointly(guards: Sequence[Guard], names: Sequence[str]) -> Iterator[dict[str, Values]]:
    """Small values of several symbols with which decisions by them hold whichever of the values meet.

    >>> T, E = Form.symbol("T"), Form.symbol("E")
    >>> found = jointly([Guard(E * T, "<=", Form.constant(99))], ["E", "T"])
    >>> next(found)
    {'E': (5, 7, 9, 6, 8), 'T': (7, 9, 6, 8, 5)}
    """
    alike = [dict.fromkeys(names, role) for role in (multiples(2), TINY)]
    for roles in (*alike, *({**dict.fromkeys(names, FEW), longer: multiples(8)} for longer in names)):
        for most in range(len(TINY), ENOUGH - 1, -1):
            kept = {name: sorted(sorted(role)[:most], key=role.index) for name, role in roles.items()}
            met = (dict(zip(names, values, strict=True)) for values in itertools.product(*kept.values()))
            if all(all_hold(guards, point) for point in met):
                yield {name: tuple(values[k:] + values[:k]) for k, (name, values) in enumerate(kept.items())}
                break


def _values(
    names: Sequence[str],
    plan: Mapping[str, Values],
    asked: Sequence[Guard],
    inputs: Sequence[str],
    record: Callable[[Point], Recording | None],
    sizes: Iterable[Form],
) -> dict[str, Values] | None:
    """Values at which a program is the same one, around a point that meets what is asked; best such that floors round."""
    fixed = {name: values[0] for name, values in plan.items() if name not in names}
    floors = dict.fromkeys(x for size in sizes for x in size.floor_arguments() if x.symbols and x.symbols <= set(names))
    bases = _bases(names, plan, inputs, fixed, asked)
    first = list(itertools.islice(bases, COMPARED if floors else RECORDED))
    first.sort(key=lambda base: _exact(floors, names, {**fixed, **base}, asked))
    for base in first[:RECORDED]:
        found = record({**fixed, **base})
        if found is not None and (values := _axes(names, {**fixed, **base}, found)) is not None:
            return values
    return None


def _exact(floors: Iterable[Form], names: Sequence[str], point: Point, asked: Sequence[Guard]) -> int:
    """How many floors have nothing to round at a point and along the axes from it: of heads 12 wide ``2*d//3`` is none.

    What is decided may leave some no remainder anywhere: those count at every point.
    """
    axes = {name: along(name, point, lambda p: all_hold(asked, p)) for name in names}
    beside = [point, *({**point, name: value} for name, values in axes.items() for value in values)]
    return sum(all(Fraction(inside.value(p)).denominator == 1 for p in beside) for inside in floors)


def _asks(guard: Guard) -> bool:
    """Whether a decision asks something of sizes: that two happen to be equal, or not, is of the point alone."""
    by_chance = guard.op == "==" or (guard.op == "!=" and guard.number is None)
    return not by_chance or is_remainder(guard.left)


def _meeting(failing: Iterable[str], guards: Sequence[Guard]) -> list[str]:
    """The failing symbols and all that they meet in decisions, directly or by others."""
    names = dict.fromkeys(failing)
    for _ in guards:
        names |= dict.fromkeys(n for guard in guards if guard.symbols & set(names) for n in sorted(guard.symbols))
    return list(names)


def _bases(
    names: Sequence[str], plan: Mapping[str, Values], inputs: Sequence[str], fixed: Point, guards: Sequence[Guard]
) -> Iterator[Point]:
    """Points at which all decisions fall as they were seen and enough values along each axis do too, usual ones first."""
    roles = {name: [role[0] for role in INPUT_ROLES] if name in inputs else [] for name in names}
    options = {n: list(dict.fromkeys((*(v for v in plan[n][:1] if v > 2), *roles[n], *BASES))) for n in names}
    first = [name for guard in guards for name in names if name in guard.symbols]
    order = list(dict.fromkeys((*first, *names)))  # those that meet stand side by side
    budget = iter(range(LOOKED_AT))
    found = (
        point
        for total in range(sum(len(each) - 1 for each in options.values()) + 1)
        for point in _filled(order, options, total, fixed, guards, budget)
    )
    for point in itertools.islice(found, TRIED):
        if all(along(name, point, lambda p: all_hold(guards, p)) for name in names):
            yield {name: point[name] for name in names}


def _filled(
    names: Sequence[str],
    options: Mapping[str, Sequence[int]],
    total: int,
    point: Point,
    guards: Sequence[Guard],
    budget: Iterator[int],
) -> Iterator[Point]:
    """Points with so many steps away from the first options in all; every decision is looked at once its sizes are there.

    No two sizes are equal: what happens to be so is decided otherwise elsewhere.
    """
    if not names:
        if not total:
            yield point
        return
    name, rest = names[0], names[1:]
    most = sum(len(options[other]) - 1 for other in rest)
    ready = [guard for guard in guards if name in guard.symbols and guard.symbols <= {name, *point}]
    for index, value in enumerate(options[name][: total + 1]):
        if total - index > most or value in point.values():
            continue
        if next(budget, None) is None:
            return
        more = {**point, name: value}
        if all_hold(ready, more):
            yield from _filled(rest, options, total - index, more, guards, budget)


def _axes(names: Sequence[str], point: Point, seen: Recording) -> dict[str, Values] | None:
    """Values along each axis at which the program is the one at the point, which come first; no quotient becomes 1 there."""
    several = [size for size in seen.sizes if len(size.symbols) > 1 and size.value(point) != 1]

    def same(beside: Point) -> bool:
        return seen.changed(beside) is None and all(size.value(beside) != 1 for size in several)

    found = {name: along(name, point, same) for name in names}
    return {n: (point[n], *values) for n, values in found.items()} if all(found.values()) else None


def along(name: str, point: Point, same: Callable[[Point], bool]) -> Values:
    """Other values of one symbol with which the program is the same, near ones first; none where they are not enough."""
    near = sorted((v for v in POOL if v != point[name]), key=lambda v: max(v / point[name], 3 * point[name] / v))
    found = tuple(itertools.islice((v for v in near if same({**point, name: v})), MOST))
    return found if len(found) >= ENOUGH else ()
