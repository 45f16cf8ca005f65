"""Constraints as people write them: ``params <= 25_000_000``, ``latency <= 0.01``, ``d % H == 0``; read, never run."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.exact import rational
from symcost.devices import device
from symcost.devices.device import HOLDS
from symcost.errors import DeviceError, SymcostError
from symcost.estimate.bytes.fit import check_computes
from symcost.estimate.bytes.memory import memory
from symcost.estimate.bytes.types import types_of
from symcost.estimate.questions.quantities import QUANTITIES, Setting
from symcost.formulas.symbols import Evaluator, parse
from symcost.reading.numerals import MAX_DIGITS, MAX_POWER, fraction, short

_RELATION = re.compile(r"(<=|>=|==|!=|<|>)")
_DECIMAL = re.compile(r"(?<![\w.])(\d[\d_]*\.\d*(?:[eE][+-]?\d+)?|\d[\d_]*[eE][+-]?\d+)(?![\w.])")
_HOLDS: Mapping[str, Callable[[Fraction], bool]] = {
    "<=": lambda x: x <= 0, "<": lambda x: x < 0, ">=": lambda x: x >= 0, ">": lambda x: x > 0,
    "==": lambda x: x == 0, "!=": lambda x: x != 0,
}  # fmt: skip
FITS = "fits"
_NONE = "there is no constraint: give one such as 'params <= 25_000_000'"


@dataclass(frozen=True)
class Constraint:
    """``left relation right``: two formulas in the table's symbols."""

    text: str
    left: Any
    relation: str
    right: Any

    @property
    def difference(self) -> Any:
        """``left - right``."""
        return self.left - self.right

    def holds(self, at: Mapping[str, int]) -> bool:
        """Whether it holds at a point, exactly."""
        value = Evaluator(at)
        return _HOLDS[self.relation](Fraction(value(self.left)) - Fraction(value(self.right)))


def read(texts: str | Sequence[str], setting: Setting) -> list[Constraint]:
    """Constraints with the quantities they name put in; ``fits`` stands for every memory of the device."""
    given = [texts] if isinstance(texts, str) else list(texts)
    if not given:
        raise SymcostError(_NONE)
    found: list[Constraint] = []
    for text in given:
        if not isinstance(text, str):
            raise SymcostError(f"the constraint {short(text)} is no text: give one such as 'params <= 25_000_000'")
        found += _memories(setting) if text.strip() == FITS else [_one(text, setting)]
    return found


def is_one(text: str) -> bool:
    """Whether a text is a constraint, rather than the spec of an input.

    >>> is_one("params <= 3"), is_one("fits"), is_one("float32[n,8]")
    (True, True, False)
    """
    return text.strip() == FITS or bool(_RELATION.search(text))


def check(texts: Sequence[str], symbols: Sequence[str]) -> None:
    """Raise for constraints that cannot be read, or name what is no quantity and none of the symbols."""
    if not texts:
        raise SymcostError(_NONE)
    for text in texts:
        if text.strip() != FITS:
            left, _, right = _parts(text)
            for side in (left, right):
                _check_names(_read(side), text, symbols, ())


def _one(text: str, setting: Setting) -> Constraint:
    left, relation, right = _parts(text)
    return Constraint(text.strip(), _side(left, text, setting), relation, _side(right, text, setting))


def _parts(text: str) -> list[str]:
    parts = _RELATION.split(text)
    if len(parts) != 3:
        raise SymcostError(
            f"cannot read {short(text)} as a constraint: write one comparison, as 'params <= 25_000_000'"
        )
    return parts


def _side(text: str, whole: str, setting: Setting) -> Any:
    expression = _read(text)
    _check_names(expression, whole, setting.costs.symbols, getattr(setting.costs, "point", {}))
    names = sorted({str(s) for s in expression.free_symbols} & QUANTITIES.keys())
    put = {sympy.Symbol(n, positive=True, integer=True): _exact(QUANTITIES[n](setting)) for n in names}
    return expression.xreplace(put) if put else expression


def _read(text: str) -> Any:
    return parse(_DECIMAL.sub(_fraction, text))


def _check_names(expression: Any, whole: str, symbols: Sequence[str], fixed: Collection[str]) -> None:
    """Raise for a name that is no quantity and none of the symbols, or both."""
    for name in sorted(str(s) for s in expression.free_symbols):
        known = name in symbols or name in fixed
        if known and name in QUANTITIES:
            raise SymcostError(f"{name!r} in {whole!r} is a symbol of the table and a quantity: rename the symbol")
        if not known and name not in QUANTITIES:
            names = [*symbols, *QUANTITIES]
            near = get_close_matches(name, names, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
            raise SymcostError(f"unknown name {short(name)} in {short(whole)}: {hint}")


def _exact(value: Any) -> Any:
    return sympy.sympify(value, strict=True)


def _fraction(match: re.Match[str]) -> str:
    """A decimal as an exact fraction: ``0.01`` is ``1/100``."""
    text = match.group(1).replace("_", "")
    try:
        made = fraction(text)
    except ValueError:
        raise SymcostError(
            f"{short(text)} in a constraint is out of range: use an exponent of at most {MAX_POWER}, {MAX_DIGITS} digits"
        ) from None
    return f"({made.numerator}/{made.denominator})"


def _memories(setting: Setting) -> list[Constraint]:
    """One constraint for each memory that holds weights or activations."""
    where = device(setting.device)
    check_computes(where, setting.costs, types_of(setting.costs, setting.dtype, setting.weights))
    used = memory(setting.costs, setting.dtype, weights=setting.weights, rule=setting.rule)
    found = []
    for level in where.memories:
        if level.holds and level.size is None:
            raise DeviceError(f"device {where.name}: no size of its {level.name} is published: describe your own")
        if level.holds and level.size is not None:
            names = {"weights": "weight_bytes", "activations": "activation_bytes"}
            needed = sympy.Add(*(_exact(used.held(what)) for what in HOLDS if what in level.holds))
            plain = sympy.Add(*(_exact(getattr(used, what)) for what in HOLDS if what in level.holds))
            summed = [*(names[what] for what in level.holds), *(["state_bytes"] if needed != plain else [])]
            text = f"{' + '.join(summed)} <= {level.size} ({level.name})"
            found.append(Constraint(text, needed, "<=", rational(level.size)))
    if not found:
        raise DeviceError(f"device {where.name} has no memory that holds weights or activations: describe your own")
    return found
