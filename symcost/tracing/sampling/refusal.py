"""One line for a model that raised wherever it was tried: its reasons, where, and what to do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

from symcost.errors import TraceError
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.paths import call_budget, effort_counted
from symcost.tracing.program.spec import where

WHATEVER_THE_SIZES = (AttributeError, ImportError, NotImplementedError)
"""What other sizes will not change: a name that is not there."""
KEYWORD = "unexpected keyword argument"
HINTS = {
    "SYMCOST_MEMORY": "give smaller values in samples={...}, or allow more in SYMCOST_MEMORY",
    "NameError": "give axes={'name': size} for an axis that the model reduces over",
    KEYWORD: "correct the names in call={...}",
    "missing": "give one input spec for each argument of the call, and the others in call={...}",
    "ConcretizationTypeError": "it reads the values of arrays while it is traced: pass them as plain numbers in call={...}",
    "TracerArrayConversionError": "it reads the values of arrays while it is traced: pass them as plain numbers in call={...}",
    "TracerBoolConversionError": "it branches on the values of arrays: use jax.lax.cond, or plain flags in call={...}",
}
AS_IT_IS = "it does so at all sizes: mend the model, or install the version of the package that it was written for"
OF_A_SIZE = re.compile(
    r"'int' object (has no attribute|is not (iterable|callable|subscriptable))|type 'int' is not iterable"
)
"""What Python says where a model is given a size in the place of something else."""
GIVE = "give steps={...}, at_least={...} or samples={...}"
TIED_TRIALS, TIED_EFFORT, TIED_CALLS = 60, 15_000, 6000
_NUMBER = re.compile(r"\d+")


def reason(failure: PointError) -> str:
    """What the model said, without the point."""
    return str(failure).split(": ", 1)[-1].rstrip(".")


def pattern(failure: PointError) -> str:
    """What the model said, whatever the numbers in it."""
    return _NUMBER.sub("#", reason(failure))


def hopeless(failure: PointError) -> bool:
    """Whether a model raised what it raises at all sizes: it asks for a name that is not there, as another version has it."""
    cause = failure.__cause__
    return isinstance(cause, WHATEVER_THE_SIZES) or (isinstance(cause, TypeError) and KEYWORD in str(cause))


def _looked_up(failure: PointError) -> list[str]:
    """Parameters whose values a model looks up in a table that lacks them, as a name in the place of a size."""
    cause = failure.__cause__
    if not isinstance(cause, KeyError) or not cause.args:
        return []
    return [name for name in failure.parameters if failure.point.get(name) == cause.args[0]]


def _with_line(failure: PointError) -> str:
    """What the model said, and the line of its own that it was at."""
    return f"{reason(failure)} ({failure.line})" if failure.line else reason(failure)


def _advice(failure: PointError) -> str | None:
    """What to do about an exception; a keyword that a line of the model's own gives is none of the call's."""
    said = reason(failure)
    if failure.parameters and OF_A_SIZE.search(said):
        sizes = ", ".join(failure.parameters)
        set_it = "set what is none in a function of the sizes, as lambda d: Net(Config(d))"
        return f"what has no default is a size (here {sizes}): {set_it}"
    if names := _looked_up(failure):
        return f"{' or '.join(names)} is looked up by its value: give it one that the model knows, or samples={{...}} of those"
    if KEYWORD in said and failure.line:
        return AS_IT_IS
    return next((advice for sign, advice in HINTS.items() if sign in said), None)


def advised(failure: PointError) -> TraceError:
    """The error of a point that is the only one, with what to do about it where that is known."""
    advice = _advice(failure)
    return TraceError(f"{str(failure).rstrip('.')}: {advice}") if advice else failure


def tied(failures: Sequence[PointError], works: Callable[[dict[str, int]], Any]) -> tuple[str, str] | None:
    """Two symbols that have to be equal: the model works at a failed point once one has the other's value.

    Only where the model gave different reasons: what raises alike everywhere does so for equal ones too.
    """
    if len({pattern(f) for f in failures}) < 2:
        return None
    tried: set[tuple[int, ...]] = {tuple(f.point.values()) for f in failures}
    with effort_counted() as effort:
        points = sorted((f.point for f in failures), key=lambda p: -max(p.values(), default=0))
        for point in points:
            for a, b in itertools.combinations(point, 2):
                equal = {**point, a: max(point[a], point[b]), b: max(point[a], point[b])}
                if tuple(equal.values()) in tried:
                    continue
                tried.add(tuple(equal.values()))
                if len(tried) > len(failures) + TIED_TRIALS or effort.spent > TIED_EFFORT:
                    return None
                try:
                    with call_budget(TIED_CALLS):
                        works(equal)
                except PointError:
                    continue
                return a, b
    return None


def explain(failures: Sequence[PointError], equal: tuple[str, str] | None = None) -> str:
    """The line: the reasons (at most two, each with its most roomy point), how many points, what to do.

    >>> print(explain([PointError("the model raised at d=7: ValueError: odd width 7", {"d": 7})]).split(" - ")[1])
    it raised alike at d from 7 to 7: if it works at others, give steps={...}, at_least={...} or samples={...}
    """
    if not failures:
        return "no sample point could be tried: give samples={...} with at least four values of each symbol"
    kinds: dict[str, list[PointError]] = {}
    for failure in failures:
        kinds.setdefault(pattern(failure), []).append(failure)
    common = sorted(kinds.values(), key=len, reverse=True)[:2]
    shown = [max(kind, key=lambda f: min(f.point.values(), default=0)) for kind in common]
    hint = next((advice for f in shown if (advice := _advice(f)) is not None), None)
    count = len({where(f.point) for f in failures})
    if hopeless(failures[-1]):
        return f"the model raised: {_with_line(failures[-1])} - {_advice(failures[-1]) or AS_IT_IS}"
    if count == 1 and not failures[0].point:
        what = "is too large" if isinstance(shown[0].__cause__, MemoryError) else "raised"
        return f"the model {what}: {_with_line(shown[0])}" + (f" - {hint}" if hint else "")
    if equal:
        hint = f"it works where {equal[0]} = {equal[1]}: use one symbol for both"
    elif hint is None and len(kinds) == 1:
        hint = f"it raised alike at {_ranges(failures)}: {_unlike(failures)}"
    elif hint is None:
        hint = f"its domain needs other values: {GIVE}"
    reasons = "; ".join(f"at {where(f.point)}: {_with_line(f)}" for f in shown)
    return f"the model raised at all of {count} sample points ({reasons}) - {hint}"


def _unlike(failures: Sequence[PointError]) -> str:
    """What to do about one reason everywhere: of sizes where they are in it, and else of all that is given too."""
    if len({reason(failure) for failure in failures}) > 1 or len(failures) == 1:
        return f"if it works at others, {GIVE}"
    return f"unless it asks for other sizes ({GIVE}), correct its inputs, its parameters or the model"


def _ranges(failures: Sequence[PointError]) -> str:
    """The values that were tried, symbol by symbol."""
    names = dict.fromkeys(name for failure in failures for name in failure.point)
    tried = {name: [f.point[name] for f in failures if name in f.point] for name in names}
    return ", ".join(f"{name} from {min(values)} to {max(values)}" for name, values in tried.items())
