"""What a rule sees and what it says: the registry that maps a primitive's name to its cost.

A rule is a function of shapes and parameters only. Its sizes may be integers or closed forms: it may add, subtract and
multiply them and divide with ``//``, nothing else (:func:`log2_ceiling` and :func:`log2_floor` work on both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

from symcost.errors import RuleError
from symcost.formulas.binary.digits import ceil_log2
from symcost.formulas.form import ONE, Form, floor
from symcost.formulas.functions import logarithm

Size: TypeAlias = int | Form
"""A positive integer or a closed form in the model's symbols."""


@dataclass(frozen=True)
class Array:
    """Shape and number type of one operand or result.

    >>> Array((2, 3), "float32").size
    6
    """

    shape: tuple[Size, ...]
    dtype: str

    @property
    def size(self) -> Size:
        """Number of elements: the product of the dimensions (1 for a scalar)."""
        return prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether arithmetic on it is counted as floating point (complex numbers too)."""
        return "float" in self.dtype or "complex" in self.dtype


@dataclass(frozen=True)
class Facts:
    """What a rule needs of an equation beside shapes: ``static`` never varies, ``sizes`` are integers that may.

    ``origin`` is what the sizes are computed from beside the shapes: where it is the same in every trace, they can be
    derived in closed form instead of being fitted. ``beside`` are the integers among it that may vary from trace to
    trace; they are closed forms where the sizes are derived.
    """

    static: tuple[Any, ...] = ()
    sizes: Mapping[str, tuple[Size, ...]] = field(default_factory=dict)
    origin: tuple[Any, ...] = ()
    beside: tuple[Size, ...] = ()


@dataclass(frozen=True)
class Op:
    """One operation as a rule sees it: its name, operands and results, and facts of its equation.

    ``ins`` and ``outs`` have ``shape``, ``size`` and ``dtype`` each. ``facts`` are what a built-in rule extracts of the
    equation's parameters; ``params``, for rules of one's own, are all parameters that are plain data, by name.

    >>> Op("matmul", (Array((2, 3), "float32"), Array((3, 5), "float32")), (Array((2, 5), "float32"),)).out.size
    10
    """

    name: str
    ins: tuple[Array, ...]
    outs: tuple[Array, ...]
    facts: Facts = Facts()
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def out(self) -> Array:
        """The first result."""
        return self.outs[0]

    def size(self, name: str) -> Size:
        """A single integer fact."""
        return self.facts.sizes[name][0]


@dataclass(frozen=True, kw_only=True)
class Work:
    """The work of one execution of an operation; each count is an integer or a closed form.

    ``flops`` are floating-point operations beside the two of every MAC; ``int_ops`` integer and boolean ones.
    Each of the ``macs`` is ``real_products`` MACs of real numbers (4 where it is one of complex numbers).
    ``padding_macs`` are those of the ``macs`` that multiply padding or the holes of a dilated operand.
    ``materialises`` marks results that a textbook stores (contractions, convolutions, pooling, reductions); ``moves`` is
    false where operands and results are moved by other operations, part by part, as those of a loop are by its body.
    ``xla_flops`` and ``xla_transcendentals`` are what XLA reports where its figure is not
    ``2(macs - padding_macs) + flops + int_ops`` and ``transcendentals``.

    >>> Work(macs=6, flops=2).flops_under_xla
    14
    """

    macs: Size = 0
    flops: Size = 0
    transcendentals: Size = 0
    int_ops: Size = 0
    padding_macs: Size = 0
    real_products: int = 1
    materialises: bool = False
    moves: bool = True
    xla_flops: Size | None = None
    xla_transcendentals: Size | None = None

    @property
    def real_macs(self) -> Size:
        """MACs of real numbers."""
        return self.real_products * self.macs

    @property
    def total_flops(self) -> Size:
        """FLOPs, the two of every MAC of real numbers included."""
        return 2 * self.real_macs + self.flops

    @property
    def flops_under_xla(self) -> Size:
        """FLOPs as XLA's cost analysis of the unoptimised program reports them."""
        if self.xla_flops is not None:
            return self.xla_flops
        return 2 * (self.macs - self.padding_macs) + self.flops + self.int_ops

    @property
    def transcendentals_under_xla(self) -> Size:
        """Transcendentals as XLA's cost analysis of the unoptimised program reports them."""
        return self.transcendentals if self.xla_transcendentals is None else self.xla_transcendentals

    def repeated(self, times: Size, xla_times: Size | None = None, materialises: bool = False) -> Work:
        """The work of ``times`` executions inside one primitive, such as those of a reduction's function.

        ``xla_times``: how many XLA counts, where these are others.
        """
        seen = times if xla_times is None else xla_times
        return Work(
            flops=self.total_flops * times,
            transcendentals=self.transcendentals * times,
            int_ops=self.int_ops * times,
            materialises=materialises,
            xla_flops=self.flops_under_xla * seen,
            xla_transcendentals=self.transcendentals_under_xla * seen,
        )


Rule = Callable[[Op], Work]
Extract = Callable[[Mapping[str, Any], tuple[Array, ...], tuple[Array, ...]], Facts]
Derive = Callable[[Op], tuple[Form, ...]]
Usual = Callable[[Op], tuple[tuple[Form, ...], ...]]


@dataclass(frozen=True)
class Entry:
    """A registered primitive: its rule, and how its parameters become :class:`Facts`.

    ``derive`` gives the sizes of the facts in closed form, from shapes in closed form and the facts' origin. ``usual``
    gives for each of the integers beside the shapes what it would be by one convention or another.
    """

    rule: Rule
    extract: Extract
    derive: Derive | None = None
    usual: Usual | None = None


ENTRIES: dict[str, Entry] = {}


def no_facts(params: Mapping[str, Any], ins: tuple[Array, ...], outs: tuple[Array, ...]) -> Facts:
    """For primitives whose shapes say everything."""
    return Facts()


def static(*parameters: str) -> Extract:
    """For primitives of which a rule needs these parameters, which never vary."""
    return lambda params, ins, outs: Facts(static=tuple(params[name] for name in parameters))


def sizes(**parameters: str) -> Extract:
    """For primitives of which a rule needs these parameters, integers that may vary, under names of its own."""
    return lambda params, ins, outs: Facts(sizes={name: tuple(params[own]) for name, own in parameters.items()})


def rule(
    *names: str, extract: Extract = no_facts, derive: Derive | None = None, usual: Usual | None = None
) -> Callable[[Rule], Rule]:
    """Register a rule for primitives; registering one twice is an error."""

    def register(function: Rule) -> Rule:
        add(names, function, extract, derive, usual)
        return function

    return register


def add(
    names: Iterable[str],
    function: Rule,
    extract: Extract = no_facts,
    derive: Derive | None = None,
    usual: Usual | None = None,
) -> None:
    """Register ``function`` for each of ``names``."""
    for name in names:
        if name in ENTRIES:
            raise RuleError(f"primitive {name!r} already has a rule: remove one of the two")
        ENTRIES[name] = Entry(function, extract, derive, usual)


def is_one(size: Size) -> Size:
    """1 where a size is 1, else 0: ``floor(1/size)`` for a closed form that can be 1.

    >>> is_one(1), is_one(7)
    (1, 0)
    """
    if not isinstance(size, Form):
        return int(size == 1)
    whole = all(isinstance(c, int) and c > 0 and all(e > 0 for _, e in mono) for mono, c in size.terms.items())
    if whole and sum(size.terms.values()) > 1:
        return 0  # a sum or multiple of positive integers
    return floor(ONE / size) if len(size.terms) == 1 else 0


def is_empty(array: Array) -> bool:
    """Whether an array has no element at any size: one of its dimensions is 0.

    >>> is_empty(Array((3, 0), "float32"))
    True
    """
    return any(not size.terms if isinstance(size, Form) else size == 0 for size in array.shape)


def arithmetic(array: Array, count: Size, **more: Any) -> Work:
    """``count`` operations on ``array``'s number type: FLOPs for floats, integer operations otherwise."""
    return Work(flops=count, **more) if array.is_float else Work(int_ops=count, **more)


def log2_ceiling(size: Size) -> Size:
    """``ceil(log2(size))`` of an integer or a closed form.

    >>> log2_ceiling(9)
    4
    """
    return logarithm("clog2", size) if isinstance(size, Form) else ceil_log2(size)


def log2_floor(size: Size) -> Size:
    """``floor(log2(size))`` of an integer or a closed form.

    >>> log2_floor(9)
    3
    """
    return logarithm("flog2", size) if isinstance(size, Form) else size.bit_length() - 1
