"""Which values to trace at: generic ones first, then such that divisibility between the symbols can hold.

A symbol plays a role; a role is a list of values. Factory parameters start small (they may be depths, where every
value costs a trace of that many blocks); if the model raises, some of them become multiples that every smaller role
divides (widths over heads over key-value heads). Input dimensions start large and generic, so that windows never
outgrow the deepest map, and become smaller or multiples of a step where the model raises.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symcost.errors import LiftError, SymcostError
from symcost.reading.numerals import short
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.paths import TooManyCalls, call_budget, effort_counted
from symcost.tracing.sampling.patience import FEW, UNLIKE, Patience
from symcost.tracing.sampling.refusal import explain, hopeless, tied

Values = tuple[int, ...]
Point = dict[str, int]

SMALL: Values = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
MIDDLE: Values = (12, 24, 36, 48, 60, 72, 96, 120)  # every SMALL sample divides them
WIDE: Values = (1152, 2304, 3456, 5760, 4608, 8064, 6912, 12672)  # every MIDDLE sample, 32, 64 and 128 divide them
GENERIC: Values = (37, 58, 71, 94, 45, 66, 83, 109, 53, 127)
LARGER: Values = (20, 23, 26, 29, 33, 38, 41, 44, 47, 50, 31, 36, 42, 57, 60)
FACTORY_ROLES: tuple[Values, ...] = (SMALL, MIDDLE, WIDE)

# Odd and even at every halving, whether it rounds up or down.
LARGE: Values = (193, 255, 230, 311, 364, 421, 502, 283, 397, 218, 449, 546)
MODERATE: Values = (33, 47, 62, 81, 54, 71, 93, 40, 103, 85)
TINY: Values = (5, 7, 10, 13, 9, 6, 11, 8)
MULTIPLES = (7, 9, 12, 15, 10, 13, 17, 22, 19, 25)
STEPS = (2, 4, 8, 16, 32, 64, 128, 224)


def multiples(step: int) -> Values:
    """Generic multiples of a step."""
    return tuple(step * m for m in MULTIPLES)


def enlarged(values: Values, factor: int) -> Values:
    """As many values so many times as large, multiples of the same step and as generic.

    >>> enlarged((193, 255, 230), 8), enlarged((224, 288), 8)
    ((1547, 2040, 1841), (1888, 2432))
    """
    step = math.gcd(*values)
    return tuple(
        factor * value + step * (1 + value // step % 5 // 2 * 2 - index % 2) for index, value in enumerate(values)
    )


def divisors(step: int) -> list[int]:
    """Divisors of a step, powers of two first."""
    powers = [p for p in (1, 2, 4, 8, 16, 32, 64, 128, 256) if step % p == 0]
    others = [d for d in range(3, step + 1) if step % d == 0 and d not in powers]
    return [*powers, *[d for d in others if d in (96, 192, 384, 224, 12, 24, 48, step)]]


INPUT_ROLES: tuple[Values, ...] = (
    LARGE, multiples(32), MODERATE, multiples(8), TINY, multiples(64), multiples(24), multiples(224), multiples(840)
)  # fmt: skip
NEARER = {LARGE: MODERATE, multiples(32): multiples(8)}
"""What a symbol that sizes are large multiples of is given instead: tables of all pairs of 193 x 193 patches are gigabytes."""
MAX_ATTEMPTS = 300
TRIAL_CALLS = 6000
"""Module calls and declared parameters of one trial: a hundred layers pass, a thousand do not."""
LARGEST = 2**63
"""Sizes of arrays are 64-bit integers."""
MANY_CONSTANTS, STEEP = 1 << 22, 256
"""Bytes of constants beside which smaller inputs are tried already, where those have so many times less."""
LARGE_CONSTANTS = 1 << 26
"""Bytes of constants that a program may hold (masks of all windows grow with the inputs) before smaller inputs are tried."""


def role_plans(
    inputs: Sequence[str], parameters: Sequence[str], fixed: Mapping[str, Values], coarse: Collection[str] = ()
) -> Iterator[dict[str, Values]]:
    """Assignments of roles to symbols, the most generic first; ``fixed`` symbols keep their values.

    Sizes are large multiples of ``coarse`` ones, which begin nearer.
    """
    free_inputs = [name for name in inputs if name not in fixed]
    free_parameters = [name for name in parameters if name not in fixed]
    input_plans = [dict.fromkeys(free_inputs, role) for role in INPUT_ROLES] if free_inputs else [{}]
    if len(free_inputs) > 1:
        mixed = [r for r in itertools.product(INPUT_ROLES[:5], repeat=min(len(free_inputs), 3)) if len(set(r)) > 1]
        input_plans += [{n: roles[min(i, len(roles) - 1)] for i, n in enumerate(free_inputs)} for roles in mixed]
    parameter_plans = [
        dict(zip(free_parameters, roles, strict=True))
        for roles in sorted(
            itertools.product(range(len(FACTORY_ROLES)), repeat=len(free_parameters)),
            key=lambda roles: (sum(r > 0 for r in roles), sum(r == 1 for r in roles)),
        )
    ]
    pairs = sorted(
        itertools.product(range(len(input_plans)), range(min(len(parameter_plans), MAX_ATTEMPTS))),
        key=lambda pair: pair[0] * 3 + pair[1],
    )
    for i, p in pairs[:MAX_ATTEMPTS]:
        roles = {n: FACTORY_ROLES[r] for n, r in parameter_plans[p].items()}
        given = {n: NEARER.get(role, role) if n in coarse else role for n, role in input_plans[i].items()}
        yield {**given, **roles, **fixed}


def first_working(
    plans: Iterator[dict[str, Values]],
    works: Callable[[Point], Any],
    deep: Callable[[Point, Point], bool],
    same: Callable[[Point, Point], bool],
    better: Callable[[dict[str, Values], Sequence[str]], dict[str, Values] | None] = lambda plan, axes: None,
) -> dict[str, Values]:
    """The first plan whose base point, and one value further along each axis, can be traced or is known to be the ``same`` program.

    A parameter that is seen to change the program (a depth) keeps its small values in later plans; while that is not
    known, a trial that calls very many modules is given up. Where the base works and some axes fail, plans that leave
    the roles of those axes alone come last: heads fail beside a small width whatever the vocabulary. What is ``better``
    than such a plan is known where the program was seen to decide by sizes; it is asked for one too where few others work.
    """
    depths: set[str] = set()
    conflicts: list[dict[str, Values]] = []
    first: dict[str, Values] = {}
    with effort_counted() as effort:
        patience = Patience(effort)
        failures = patience.failures
        for plan in _promising_first(plans, conflicts):
            first = first or plan
            if any(plan[name] is not SMALL for name in depths):
                continue
            base = {name: values[0] for name, values in plan.items()}
            grown = any(values in FACTORY_ROLES[1:] for values in plan.values())
            with call_budget(TRIAL_CALLS) if grown else contextlib.nullcontext():
                axes = _failing_axes(plan, base, works, same, failures)
                if axes is not None:
                    depths |= {
                        name for name, values in plan.items()
                        if values is SMALL and name not in axes and deep(base, {**base, name: values[1]})
                    }  # fmt: skip
                if axes == []:
                    return _lighter(plan, base, works, same) or plan
            if axes:
                conflicts.append({name: plan[name] for name in axes})
            if axes or patience.tries == FEW:
                other = better(plan if axes else first, axes or ())
                if other and _passes(other, works, same):
                    return other
            if failures and hopeless(failures[-1]):
                break
            if patience.over() or patience.mistaken(_unlike(first), works):
                other = better(first, ())  # before it is given up, where it was not asked yet
                if other and _passes(other, works, same):
                    return other
                break
        told = patience.mistake or (failures and hopeless(failures[-1]))
        equal = None if told else tied(failures, works)
    raise LiftError(explain(patience.telling, equal))


def _passes(plan: Mapping[str, Values], works: Callable[[Point], Any], same: Callable[[Point, Point], bool]) -> bool:
    """Whether the model works at a plan's base and one value further along each axis."""
    return _failing_axes(plan, {name: values[0] for name, values in plan.items()}, works, same, []) == []


def _lighter(
    plan: dict[str, Values], base: Point, works: Callable[[Point], Any], same: Callable[[Point, Point], bool]
) -> dict[str, Values] | None:
    """The plan with smaller inputs, where it holds many constants and they tell as much."""
    held = works(base).constant_bytes
    if held <= MANY_CONSTANTS:
        return None
    small = {name: TINY if values in (LARGE, MODERATE) else values for name, values in plan.items()}
    least = {name: values[0] for name, values in small.items()}
    lighter = _passes(small, works, same) and (held > LARGE_CONSTANTS or _is_far_lighter(works(least), held))
    return small if lighter else None


def _unlike(plan: Mapping[str, Values]) -> list[Point]:
    """Points that have nothing in common; symbols with values of their own keep the first."""
    return [
        {n: parameter if v in FACTORY_ROLES else size if v in INPUT_ROLES else v[0] for n, v in plan.items()}
        for parameter, size in UNLIKE
    ]


def _is_far_lighter(program: Any, held: int) -> bool:
    """Whether a program at smaller inputs holds far fewer constants, and no array of it is empty there."""
    return program.constant_bytes * STEEP < held and not program.has_empty


def _promising_first(
    plans: Iterator[dict[str, Values]], conflicts: Sequence[Mapping[str, Values]]
) -> Iterator[dict[str, Values]]:
    """The plans in order, those that repeat a known conflict at the end."""
    waiting = []
    for plan in plans:
        if any(all(plan[name] is role for name, role in conflict.items()) for conflict in conflicts):
            waiting.append(plan)
        else:
            yield plan
    yield from waiting


def _failing_axes(
    plan: Mapping[str, Values],
    base: Point,
    works: Callable[[Point], Any],
    same: Callable[[Point, Point], bool],
    failures: list[PointError],
) -> list[str] | None:
    """The axes along which a plan's further value raises, parameters first; nothing when the base itself raises.

    Input dimensions are tried only when all parameters pass.
    """

    def raises(point: Point) -> bool:
        try:
            works(point)
        except PointError as problem:
            if not isinstance(problem.__cause__, TooManyCalls):  # ours, not a reason of the model's
                failures.append(problem)
            return True
        return False

    if raises(base):
        return None
    further = {name: {**base, name: values[1]} for name, values in plan.items() if len(values) > 1}
    parameters = [name for name, values in plan.items() if values in FACTORY_ROLES]
    failing = [name for name in parameters if not same(base, further[name]) and raises(further[name])]
    rest = [name for name in further if name not in parameters and not same(base, further[name])]
    return failing or [name for name in rest if raises(further[name])]


def fixed_values(
    symbols: Sequence[str],
    samples: Mapping[str, Sequence[int]] | None,
    steps: Mapping[str, int] | None,
    at_least: Mapping[str, int] | None,
    inputs: Sequence[str],
) -> dict[str, Values]:
    """Values that the user's options settle."""
    fixed: dict[str, Values] = {}
    for option, given in (("samples", samples), ("steps", steps), ("at_least", at_least)):
        check_known(option, given, symbols)
    check_positive("steps", steps)
    check_positive("at_least", at_least)
    for name, listed in (samples or {}).items():
        if not isinstance(listed, Iterable) or isinstance(listed, str):
            raise SymcostError(f"samples[{name!r}]={short(listed)} must be a list of at least 3 positive integers")
        wrong = [value for value in listed if not _is_size(value)]
        if wrong:
            raise SymcostError(f"samples[{name!r}] has {short(wrong[0])}: every value must be a positive integer")
    for name in symbols:
        least = (at_least or {}).get(name, 1)
        if samples and name in samples:
            values = tuple(dict.fromkeys(int(v) for v in samples[name]))
            if len(values) < 3:
                raise SymcostError(
                    f"samples[{name!r}] has {len(values)} values: at least 3 are needed to fit and check"
                )
            fixed[name] = values
        elif (steps and name in steps) or least > 1:
            step = (steps or {}).get(name, 1)
            start = -(-least // step)
            # Parameters may be depths: they start as low as they may.
            counts = LARGE if name in inputs and step == 1 else MULTIPLES if name in inputs else tuple(range(1, 11))
            grown = counts if counts[0] >= start else tuple(m - counts[0] + start for m in counts)
            fixed[name] = tuple(step * m for m in grown)
    return fixed


def check_known(option: str, given: Iterable[str] | None, symbols: Sequence[str]) -> None:
    """What is given by name is of symbols that there are."""
    for name in given or ():
        if name not in symbols:
            raise SymcostError(f"{option} names {short(name)}: the symbols here are {', '.join(symbols) or 'none'}")


def check_positive(option: str, given: Mapping[str, int] | None) -> None:
    """Sizes given by name are positive integers."""
    for name, value in (given or {}).items():
        if not _is_size(value):
            shown = value if isinstance(value, str) else short(value)
            raise SymcostError(f"{option}[{name!r}]={shown} must be a positive integer: choose another value")


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 < int(value) < LARGEST
