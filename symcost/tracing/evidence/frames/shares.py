"""Shares of a depth that a program computes in floats, ``i < 0.3 * L``: what they mean, and that floats decide as that does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symcost.formulas.form import Form, floor
from symcost.formulas.functions import positive_part
from symcost.tracing.evidence.floats.exact import meant
from symcost.tracing.evidence.frames.affine import Reading, Sum
from symcost.tracing.evidence.frames.expressions import Node, evaluated
from symcost.tracing.evidence.frames.values import COMPUTED, Known
from symcost.tracing.evidence.guard import Guard, Rounding

FORMULAS = (Form, Rounding)
"""What a leaf that is a size is known as: a form, or a rounding that the program made before."""
FINE = 2048
"""A share with more parts is no quotient of whole numbers: it is a float, which stands for a decimal."""


@dataclass(frozen=True)
class Computed:
    """A formula of a program's own, in Python's arithmetic: floats are what they are there."""

    node: Node
    leaves: tuple[Any, ...]
    text: str

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        used = {part.value for part in self.node.walk() if part.kind == "leaf"}
        return frozenset[str]().union(*(self.leaves[k].symbols for k in used if isinstance(self.leaves[k], FORMULAS)))

    def value(self, at: Mapping[str, int]) -> Any:
        """Its value at integers."""
        return evaluated(self.node, lambda k: self._leaf(self.leaves[k], at))

    @staticmethod
    def _leaf(leaf: Any, at: Mapping[str, int]) -> Any:
        if not isinstance(leaf, FORMULAS):
            return leaf
        value = leaf.value(at)
        return int(value) if Fraction(value).denominator == 1 else float(value)

    def __str__(self) -> str:
        return self.text


def written(node: Node, leaf: Callable[[int], str]) -> str:
    """An expression as text, its leaves as they are told."""
    if node.kind == "const":
        return str(node.value)
    if node.kind == "leaf":
        return leaf(node.value)
    parts = [written(part, leaf) for part in node.parts]
    if node.kind == "call":
        return f"{parts[0]}({', '.join(parts[1:])})"
    return f"-{parts[0]}" if node.kind == "neg" else f"({parts[0]} {node.kind} {parts[1]})"


def decimal(number: Fraction) -> Fraction:
    """The decimal that a float is written as; other numbers as they are.

    >>> decimal(Fraction(0.3)), decimal(Fraction(1, 2))
    (Fraction(3, 10), Fraction(1, 2))
    """
    return Fraction(repr(float(number))) if number.denominator > FINE and Fraction(float(number)) == number else number


def rounded(reading: Reading, node: Node, function: str) -> tuple[Sum, tuple[Guard, ...]] | None:
    """What a rounding of such a share means, and that Python's floats round to that."""
    found = _share(reading, node)
    if found is None:
        return None
    share, computed, form = found
    if any(part.kind == "call" for part in node.walk()):
        return None
    made = Rounding(f"math.{function}" if function in ("floor", "ceil") else function, form, COMPUTED[function])
    exact = meant(made)
    if exact is None:
        return None
    return share, (_claim(reading, function, computed, exact),)


def compared(reading: Reading, node: Node) -> tuple[Sum, tuple[Guard, ...]] | None:
    """What a share that whole numbers are compared with means, and that they lie on the same side of the float.

    That is so where the float, rounded up and rounded down, is what the share is.
    """
    found = _share(reading, node)
    if found is None:
        return None
    share, computed, form = found
    if any(part.kind == "call" for part in node.walk()):  # it is rounded already, or clamped
        return None
    ends = (("floor", floor(form)), ("ceil", -floor(-form)))
    return share, tuple(_claim(reading, function, computed, end) for function, end in ends)


def hints(name: str, claims: Iterable[Guard]) -> list[Form]:
    """What numbers of layers may be made of: shares of a depth, as many as there are at most, and the rest."""
    depth = Form.symbol(name)
    forms = [claim.right for claim in claims if isinstance(claim.right, Form) and claim.right.symbols == {name}]
    rest = [positive_part(depth - form - k) for form in forms for k in (0, 1)]
    return [depth, *dict.fromkeys((*forms, *rest))] if forms else []


def _claim(reading: Reading, function: str, computed: Computed, form: Form) -> Guard:
    place = reading.site.place
    return Guard(Rounding(function, computed, COMPUTED[function], place=place), "==", form, place, "rounding")


def _share(reading: Reading, node: Node) -> tuple[Sum, Computed, Form] | None:
    """The sum of decimals that an expression of one depth means, the expression as it is computed, and as a form."""
    sums = reading.sums(node)
    if len(sums) != 1:
        return None
    (found,) = sums
    names = {name for atom, _ in found.terms for name in atom.role.symbols}
    fine = [c for _, c in found.terms if c.denominator > FINE]
    if not fine or len(names) != 1 or any(atom.kind != "size" for atom, _ in found.terms):
        return None
    share = Sum(tuple((atom, decimal(c)) for atom, c in found.terms), decimal(found.constant))
    if max(c.denominator for _, c in share.terms) > FINE or not math.isfinite(share.constant):
        return None
    (name,) = names
    form = Form.symbol(name) * sum(c for _, c in share.terms) + share.constant
    leaves = tuple(_leaf(reading, k) for k in range(len(reading.columns)))
    return share, Computed(node, leaves, written(node, lambda k: _told(leaves[k], reading.columns[k].text))), form


def _leaf(reading: Reading, number: int) -> Any:
    role = reading.role(number)
    if role.kind == "size" and len(role.symbols) == 1:
        return Form.symbol(role.symbols[0]) * role.slope + role.shift
    return role.value


def _told(leaf: Any, text: str) -> str:
    return leaf.name if isinstance(leaf, Known) else str(leaf) if isinstance(leaf, Form | int | float) else text
