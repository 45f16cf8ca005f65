"""What one token uses of the parameters: shares by path, exact, as an expert's ``k/E`` of all experts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from symcost.costs.cost import Cost
from symcost.errors import ExpressionError, TraceError
from symcost.formulas.form import Form, as_form
from symcost.formulas.formed import formed
from symcost.formulas.symbols import parse, symbol
from symcost.reading import glob
from symcost.tracing.counting.structure import Line

DECIMAL = set("0123456789./")
SHARE = "a share between 0 and 1, as 'k/E' or 0.25"


@dataclass(frozen=True)
class Share:
    """The share of the parameters at some paths that one token uses: ``above/below``."""

    pattern: str
    above: sympy.Expr
    below: sympy.Expr

    def of(self, params: Any) -> Any:
        """The parameters that the token does not use: ``params (1 - above/below)``, expanded."""
        rest = sympy.sympify(params, strict=True) * (self.below - self.above) / self.below
        made = sympy.expand(sympy.cancel(rest) if self.below.is_Add else rest)
        return int(made) if made.is_Integer else made

    @cached_property
    def conditions(self) -> list[tuple[Form, Form]]:
        """What must be so for the share to be between 0 and 1, as pairs of which the first may not be larger."""
        above, below = (as_form(formed(sympy.expand(part))) for part in (self.above, self.below))
        found = [_ordered(Form({}), above), _ordered(Form.constant(1), below), _ordered(above, below)]
        return [pair for pair in found if pair is not None]

    def cost(self, cost: Cost) -> Cost:
        """A cost in which the rest of the parameters is inactive."""
        return replace(cost, inactive=self.of(cost.params)) if cost.params != 0 else cost


def read_shares(given: Mapping[str, Any] | None, symbols: Sequence[str]) -> tuple[Share, ...]:
    """The shares that the user gives by pattern; one that cannot be, or of unknown symbols, is an error."""
    if given is not None and not isinstance(given, Mapping):
        raise TraceError(f"active={given!r} must give shares by pattern, as {{'**/experts/**': 'k/E'}}")
    return tuple(_read(pattern, value, symbols) for pattern, value in (given or {}).items())


def shares_at(shares: Sequence[Share], point: Mapping[str, int]) -> dict[str, Any]:
    """The shares as numbers at a point, by pattern."""
    at = {symbol(name): value for name, value in point.items()}
    return {share.pattern: (share.above / share.below).xreplace(at) for share in shares}


def _read(pattern: Any, value: Any, symbols: Sequence[str]) -> Share:
    glob.checked(pattern, "active")
    where = f"active[{pattern!r}]={value!r}"
    try:
        share = Share(pattern, *sympy.fraction(sympy.together(_expression(value))))
        _ = share.conditions
    except ZeroDivisionError:
        raise TraceError(f"{where} must be {SHARE}: it divides by zero") from None
    except (ExpressionError, ValueError) as problem:
        raise TraceError(f"{where} must be {SHARE}: {problem}") from None
    unknown = sorted({str(s) for s in share.above.free_symbols | share.below.free_symbols} - set(symbols))
    if unknown:
        raise TraceError(
            f"{where} has the unknown symbol {unknown[0]!r}: the symbols here are {', '.join(symbols) or 'none'}"
        )
    return share


def _ordered(small: Form, large: Form) -> tuple[Form, Form] | None:
    """The condition that one form is at most another, without a minus; none where positive integers always meet it."""
    rest = large - small
    less, more = (Form({mono: c for mono, c in rest.terms.items() if (c < 0) is below}) for below in (True, False))
    if not any(less.terms.keys() - {()}) and rest.value(dict.fromkeys(rest.symbols, 1)) >= 0:
        return None
    if not more.terms:
        raise ValueError(f"{large} is less than {small} for all sizes")
    return -less, more


def _expression(value: Any) -> sympy.Expr:
    """A share as people write it; decimals are exact."""
    if isinstance(value, bool):
        raise ValueError("true and false are no shares")
    if isinstance(value, sympy.Expr):
        return value
    text = str(value).strip()
    if (
        isinstance(value, float) or not set(text) - DECIMAL
    ):  # the exponent of a float is small, that of a text may not be
        return sympy.Rational(*Fraction(text).as_integer_ratio())
    return parse(text)


def conditions(shares: Iterable[Share]) -> list[tuple[Form, Form]]:
    """Pairs of which the first may not be larger, so that every share is between 0 and 1."""
    return list(dict.fromkeys(pair for share in shares for pair in share.conditions))


def shared(lines: Sequence[Line], shares: Sequence[Share]) -> dict[int, Share]:
    """By the number of a line that declares a parameter, the last share whose pattern is its path."""
    paths = {
        number: "/".join(part for part in (line.path, str(line.record.key.static[0])) if part)
        for number, line in enumerate(lines)
        if line.record.key.source == "input" and line.record.key.op == "param"
    }
    for share in shares:
        if not any(glob.matches(share.pattern, path) for path in paths.values()):
            raise TraceError(str(glob.no_match(share.pattern, paths.values(), "active")))
    return {number: share for number, path in paths.items() for share in shares if glob.matches(share.pattern, path)}
