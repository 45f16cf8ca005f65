"""Rules of one's own: what a kernel costs that nobody else can count, or another opinion of a primitive.

A rule has the form of those here: a function of an :class:`~symcost.rules.base.Op` (shapes, number types, parameters) that
returns its :class:`~symcost.rules.base.Work`. What is active lies over the registry, never in it: it belongs to the context
that opened it (a thread, a task), and closing it restores what was there before.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from symcost.errors import RuleError, described
from symcost.formulas.form import Form
from symcost.reading.nearest import near, offered
from symcost.reading.numerals import MAX_BITS, short
from symcost.rules.base import Array, Facts, Op, Rule, Work
from symcost.rules.installed import installed
from symcost.rules.parameters import parameters, taken

OWN, REPLACED = "own", "replaced"
"""Sources of what such a rule counted; the second where it stands in the place of a built-in rule."""
BACKWARD = "transpose({})"
"""What a rule is named that costs the backward pass of a function, which bears the function's own name."""

MARKS = ("materialises", "moves")
"""What work says of an operation beside its counts."""


@dataclass(eq=False)
class Own:
    """One rule: what it is for, who says so, and the names met while it was active."""

    name: str
    function: Rule
    met: set[str] = field(default_factory=set)

    def facts(self, params: Mapping[str, Any]) -> Facts:
        """What the rule may need of an equation beside its shapes: every parameter that is plain data."""
        return taken(params)

    def work(self, op: Op) -> Work:
        """What the rule says, checked: counts are integers or closed forms, and none is negative."""
        seen = replace(op, ins=_plain(op.ins), outs=_plain(op.outs), params=parameters(op.facts))
        try:
            work = self.function(seen)
        except RuleError:
            raise
        except Exception as problem:
            raise self._error(
                f"raised {described(problem)}: its sizes are integers or closed "
                "forms, to be added, subtracted, multiplied and divided with //"
            ) from problem
        if not isinstance(work, Work):
            raise self._error(f"gave {short(work)}: it must return symcost.Work(macs=..., flops=...)")
        for name in MARKS:
            if not isinstance(getattr(work, name), bool):
                raise self._error(f"gave {name}={short(getattr(work, name))}: say True or False")
        counts = {each.name: self._count(each.name, getattr(work, each.name)) for each in fields(Work)
                  if each.name not in MARKS}  # fmt: skip
        padding, macs = counts["padding_macs"], counts["macs"]
        if isinstance(padding, int) and isinstance(macs, int) and padding > macs:
            raise self._error(f"gave padding_macs={padding}: they are some of its {macs} macs")
        return replace(work, **counts)

    def _error(self, what: str) -> RuleError:
        return RuleError(f"the rule of {self.name!r} {what}")

    def _count(self, what: str, value: Any) -> Any:
        if value is None and what.startswith("xla_"):
            return None
        number = value.number if isinstance(value, Form) else value
        if number is None and isinstance(value, Form):
            return value
        whole = _whole(number)
        if whole is None:
            raise self._error(
                f"gave {what}={short(value)}: counts are integers or closed forms of the sizes, "
                "divided with // and never with /"
            )
        if whole < 0:
            raise self._error(f"gave {what}={short(whole)}: a count is never negative, mend the rule")
        if whole.bit_length() > MAX_BITS:
            raise self._error(f"gave {what}={short(whole)}: counts have at most {MAX_BITS} bits")
        return whole


def _whole(number: Any) -> int | None:
    """An integer, numpy's and exact whole fractions among them; nothing for what is none."""
    if isinstance(number, Fraction) and number.denominator == 1:
        return number.numerator
    return int(number) if isinstance(number, int | np.integer) and not isinstance(number, bool) else None


def _plain(arrays: Iterable[Array]) -> tuple[Array, ...]:
    """Arrays whose constant dimensions are integers."""
    return tuple(Array(tuple(_integer(size) for size in array.shape), array.dtype) for array in arrays)


def _integer(size: Any) -> Any:
    return size if not isinstance(size, Form) or not isinstance(size.number, int) else size.number


@dataclass(frozen=True)
class Active:
    """The rules that hold where tracing begins."""

    rules: Mapping[str, Own]

    def __bool__(self) -> bool:
        return bool(self.rules)

    def find(self, names: Iterable[str]) -> Own | None:
        """The rule for the first of an operation's names that has one."""
        names = tuple(names)
        for own in self.rules.values():
            own.met.update(names)
        return next((self.rules[name] for name in names if name in self.rules), None)


_OPEN: ContextVar[Mapping[str, Own]] = ContextVar("symcost_rules", default=MappingProxyType({}))


def active() -> Active:
    """Those of installed packages, and over them those of the contexts that are open here."""
    return Active({**{name: Own(name, function) for name, function in installed().items()}, **_OPEN.get()})


def opened() -> bool:
    """Whether any context is open here: what is derived then is of no use to others."""
    return bool(_OPEN.get())


class _Context(AbstractContextManager[None]):
    """One rule, active inside; the same one may be entered again, inside itself too."""

    def __init__(self, own: Own) -> None:
        self.own = own
        self.tokens: list[Token[Mapping[str, Own]]] = []

    def __enter__(self) -> None:
        self.tokens.append(_OPEN.set({**_OPEN.get(), self.own.name: self.own}))

    def __exit__(self, kind: Any, *_: object) -> None:
        _OPEN.reset(self.tokens.pop())
        own = self.own
        if kind is None and own.met and own.name not in own.met:
            nearest = near(own.name, sorted(own.met))
            hint = offered(nearest, "look for its name with jax.make_jaxpr(...)")
            warnings.warn(
                f"the rule of {own.name!r} was never used: no primitive and no function of that name was met: {hint}",
                stacklevel=2,
            )


def rule(primitive_or_name: str, function: Callable[[Op], Work]) -> AbstractContextManager[None]:
    """A context in which an operation costs what ``function`` says, in every trace that is begun inside.

    ``primitive_or_name`` is a primitive of JAX (``"dot_general"``, or one of your own), or the name of a function whose
    calls are each one operation: one under ``jax.jit``, one with a ``custom_vjp`` or ``custom_jvp``, a Pallas kernel. Where
    such a function under ``jax.jit`` is differentiated, its backward pass has rules as ``"transpose(NAME)"``, and without
    one is opened as usual.

    ``function`` sees an :class:`symcost.Op` (``name``, ``ins``, ``outs``, each with ``shape``, ``size`` and ``dtype``, and
    ``params``, the parameters that are plain data) and returns :class:`symcost.Work` for one execution. It is called with
    integers and with closed forms: sizes may be added, subtracted, multiplied and divided with ``//``, nothing else. It may
    stand in the place of a built-in rule; ``coverage`` of the result says what rules of one's own counted, by name.

    Contexts nest, the inner one holds; they belong to the thread or task that opened them, and everything is as before at
    the end, after an error too. A rule whose name was never met is warned of. For packages: an entry point of the group
    ``symcost.rules`` that names a mapping of such functions by name, or a function that returns one.

    Raises :class:`symcost.RuleError` for a name or function that is none, and while tracing for a rule that raises, or
    returns anything but whole, non-negative counts.

    >>> import jax, symcost as sc
    >>> from jax.experimental import pallas as pl
    >>> @jax.jit
    ... def sparse_matmul(x, w):  # a kernel that skips every second block
    ...     return x @ w
    >>> def cost(op):
    ...     (m, k), (_, n) = op.ins[0].shape, op.ins[1].shape
    ...     return sc.Work(macs=m * k * n // 2, materialises=True)
    >>> with sc.rule("sparse_matmul", cost):
    ...     costs = sc.trace_function(sparse_matmul, "float32[m,2*k]", "float32[2*k,n]")
    >>> costs.macs, costs.coverage["own"]
    (k*m*n, 1)
    """
    if not isinstance(primitive_or_name, str) or not primitive_or_name.strip():
        raise RuleError(f"{primitive_or_name!r} names nothing: give a primitive's name or a function's, as 'my_kernel'")
    if not callable(function):
        raise RuleError(
            f"the rule of {primitive_or_name!r} is {function!r}: give a function that takes a symcost.Op and returns a symcost.Work"
        )
    return _Context(Own(primitive_or_name, function))
