"""The number types that an estimate is in: as given, as traced, or assumed where a table says none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import reduce

from symcost.costs.dtypes import ASSUMED, arithmetic, bits_of, wider
from symcost.costs.rows import Row
from symcost.costs.size import Bits
from symcost.costs.table import CostTable
from symcost.estimate.time.work import Kernel


@dataclass(frozen=True)
class Types:
    """Number types of weights and activations, and a sentence that says where they come from.

    ``activations``: the one type of all of them; None: each its own, as traced. ``weights``: bits, one or by layer;
    None: each parameter its own. ``given``: whether somebody chose any of them.
    """

    activations: str | None
    weights: Bits | None
    text: str
    given: bool

    def __str__(self) -> str:
        return self.text


def types_of(
    costs: CostTable, dtype: str | None = None, weights: str | Bits | None = None, assumed: str = ASSUMED
) -> Types:
    """The types of an estimate of a table: ``dtype`` of everything and ``weights`` of the weights, unless as traced.

    State goes with the weights where a pass only reads it, as moving averages at inference, and with the activations where
    the pass writes it, as a cache. ``assumed``: for tables without types, such as layers.

    >>> import symcost as sc
    >>> print(types_of(sc.models.alexnet()))
    float32: assumed, the table says no number types
    >>> print(types_of(sc.models.alexnet(), "float16", weights="int8"))
    int8 params, float16 activations: as given
    """
    typed = dtype is None and any(row.dtype for row in costs.rows)
    one = dtype if dtype is not None or typed else assumed
    if one is not None:
        bits_of(one)
    bits = bits_of(weights) if isinstance(weights, str) else weights
    if bits is None and one is not None:
        bits = bits_of(one)
    return Types(one, bits, _text(costs, dtype, weights, one), dtype is not None or weights is not None)


def _text(costs: CostTable, dtype: str | None, weights: str | Bits | None, one: str | None) -> str:
    chosen = "" if weights is None else f"{_named(weights)} params"
    if one is None:
        traced = [
            f"{_joined(types)} {what}"
            for what, types in _traced(costs).items()
            if types and not (chosen and what == "params")
        ]
        return (f"{chosen}: as given; " if chosen else "") + f"{', '.join(traced)}: as traced"
    if dtype is None:
        said = f"{one}{' activations' if chosen else ''}: assumed, the table says no number types"
        return f"{chosen}: as given; {said}" if chosen else said
    return f"{chosen}, {dtype} activations: as given" if chosen else f"{dtype}: as given"


def _named(weights: str | Bits) -> str:
    return weights if isinstance(weights, str) else f"{weights}-bit" if isinstance(weights, int) else "by layer of"


def _joined(types: Iterable[str]) -> str:
    names = list(types)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _traced(costs: CostTable) -> dict[str, dict[str, None]]:
    """Types of parameters, of what a textbook keeps of the results, and of state, in order of appearance."""
    types: dict[str, dict[str, None]] = {"params": {}, "activations": {}, "state": {}}
    for row in costs.rows:
        what = "params" if row.cost.params != 0 else "state" if row.cost.state != 0 else "activations"
        if row.dtype and (what != "activations" or _kept(row)):
            types[what][row.dtype] = None
    return types


def _kept(row: Row) -> bool:
    return row.source != "input" and (row.textbook.activations != 0 or row.cost.macs != 0)


def computing(kernels: Collection[Kernel], types: Types, published: Collection[str]) -> Callable[[Kernel], str]:
    """The type in which each kernel computes, by the name that devices publish: the one given, or its operands' own.

    A kernel without MACs in a type that is not ``published`` is taken as the products are, in the widest of their types:
    it waits for memory, and no more of it is known.
    """
    if types.activations is not None:
        given = types.activations
        return lambda kernel: given
    own = {kernel: arithmetic(kernel.dtype or ASSUMED) for kernel in kernels if kernel.macs != 0}
    products = [dtype for dtype in own.values() if dtype in published]
    other = reduce(wider, products) if products else ""

    def of(kernel: Kernel) -> str:
        dtype = own.get(kernel) or arithmetic(kernel.dtype or ASSUMED)
        return dtype if kernel in own or dtype in published or not other else other

    return of


def main_type(kernels: Iterable[Kernel], types: Types) -> str:
    """The one type to name: as given, or the widest of the products' types."""
    if types.activations is not None:
        return types.activations
    own = [kernel.dtype for kernel in kernels if kernel.macs != 0 and kernel.dtype]
    return reduce(wider, own) if own else ASSUMED
