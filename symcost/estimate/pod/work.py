"""What one device of a mesh does in a step, by hand or from the table of its program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import sympy

from symcost.costs.cost import TEXTBOOK
from symcost.costs.dtypes import BYTE, arithmetic, wider
from symcost.costs.mesh.collectives import Collective
from symcost.costs.rows import Row, total
from symcost.costs.size import width_of
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.amounts import amount, many
from symcost.estimate.bytes.types import types_of
from symcost.estimate.time.utilisation import RECOMPUTED
from symcost.estimate.time.work import kernels
from symcost.formulas.symbols import symbol
from symcost.reading.numerals import is_positive, short


@dataclass(frozen=True, kw_only=True)
class DeviceWork:
    """What one device of a mesh does in a step: FLOPs, bytes that its memory moves, and the collectives it takes part in.

    ``devices``: how many there are; ``tokens`` of a step on all of them, or examples; ``model_flops``: of the model on one
    device, for the utilisation: ``flops`` unless given, which may hold what is computed again. ``types``: the FLOPs by the number
    type that they are in, where it is known. ``mesh``: sizes of the axes,
    needed where a collective is along several axes of a torus or axes of two networks. ``table``: what it was made of, outside
    whose domain nothing is told.

    Raises:
        SymcostError: where an amount is negative or no formula, or ``types`` are of other FLOPs.

    >>> DeviceWork(flops="6*B*P/N", devices="N", tokens="B").flops
    6*B*P/N
    """

    flops: Any = 0
    bytes: Any = 0
    collectives: Sequence[Collective] = ()
    devices: Any = 1
    tokens: Any = None
    model_flops: Any = None
    types: Mapping[str, Any] = field(default_factory=dict)
    mesh: Mapping[str, Any] = field(default_factory=dict)
    table: CostTable | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, read in (("flops", amount), ("bytes", amount), ("devices", many)):
            object.__setattr__(self, name, read(getattr(self, name), name))
        for name in ("tokens", "model_flops"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else amount(given, name))
        types = {name: amount(each, f"FLOPs in {name}") for name, each in self.types.items()}
        if types and sympy.expand(sympy.Add(*types.values()) - self.flops) != 0:
            raise SymcostError(
                f"types={short(self.types)} are not the FLOPs of the work, {short(str(self.flops))}: give all"
            )
        object.__setattr__(self, "types", types)
        if not isinstance(self.collectives, list | tuple):
            raise SymcostError(
                f"collectives={short(self.collectives)} must be a list of them: give [Collective(...), ...]"
            )
        object.__setattr__(self, "collectives", tuple(self.collectives))

    @classmethod
    def of(
        cls, costs: CostTable, collectives: Iterable[Collective] = (), *, devices: Any = None, tokens: Any = None,
        passes: int = 1, dtype: str | None = None,
    ) -> DeviceWork:  # fmt: skip
        """The work of a table: of each device of its plan where it was traced with one, else of the one device that it is of.

        A plan brings its collectives and the number of devices; what is given here is taken instead, ``collectives`` besides.
        FLOPs of products (``textbook``, two a MAC), what is computed again included, which is no part of ``model_flops``; bytes
        of chains of elementwise operations going through memory once (``fused``, see :func:`~symcost.latency`), in the table's
        own number types or in ``dtype``. ``passes=3`` of a table of the forward pass counts the backward pass as two more, in
        FLOPs and in bytes.

        Raises:
            SymcostError: where there is no table of operations, or ``passes`` is not positive.

        >>> import symcost as sc
        >>> mlp = sc.table(sc.Sequential(up=sc.Linear("4*d", bias=False), down=sc.Linear("d", bias=False)), ("n", "d"))
        >>> DeviceWork.of(mlp, passes=3, tokens="n").flops
        48*d**2*n
        """
        if not is_positive(passes):
            raise SymcostError(f"passes={passes} must be a positive integer: 3 counts the backward pass as two more")
        planned = isinstance(costs, CostTable) and costs.plan is not None
        if planned and passes != 1:
            raise SymcostError(
                f'passes={passes} says nothing of the collectives of a plan: trace with mode="train" instead'
            )
        sent = (*costs.collectives, *collectives) if planned else tuple(collectives)
        mesh = sizes_of_mesh(costs) if planned else {}
        costs = costs.per_device if planned else costs
        run, types, typed = kernels(costs, "fused"), types_of(costs, dtype), typed_flops(costs, dtype)
        weights = width_of(costs, types.weights)
        bits = sympy.Add(
            *((each.weight_bits(weights) + each.activation_bits(types.activations)) * each.times for each in run)
        )
        kept = total((row for row in costs.rows if row.phase != RECOMPUTED), TEXTBOOK).flops
        return cls(
            flops=passes * costs.total(TEXTBOOK).flops, bytes=sympy.expand(passes * bits / BYTE),
            devices=sympy.Mul(*mesh.values()) if devices is None else devices,
            collectives=sent, tokens=tokens, model_flops=passes * kept, mesh=mesh, table=costs,
            types={name: passes * each for name, each in typed.items()},
        )  # fmt: skip


def typed_flops(costs: CostTable, dtype: str | None = None) -> dict[str, Any]:
    """FLOPs of a table by the type of the operands, the widest of each operation; nothing where it says none.

    >>> import symcost as sc
    >>> import jax.numpy as jnp
    >>> typed_flops(sc.trace_function(jnp.dot, "bfloat16[n,d]", "bfloat16[d,d]"))
    {'bfloat16': 2*d**2*n}
    """
    if dtype is not None:
        return {dtype: costs.total(TEXTBOOK).flops}
    rows: dict[str, list[Row]] = {}
    for row in costs.rows:
        if row.textbook.flops != 0:
            rows.setdefault(arithmetic(reduce(wider, row.in_dtypes, "") or row.dtype), []).append(row)
    return {} if "" in rows else {name: total(each, TEXTBOOK).flops for name, each in rows.items()}


def sizes_of_mesh(costs: CostTable) -> dict[str, Any]:
    """The sizes of a mesh's axes, in symbols of the table or at its point."""
    sizes = {} if costs.plan is None else costs.plan.mesh
    return {
        axis: costs.point.get(size, symbol(size)) if isinstance(size, str) else size for axis, size in sizes.items()
    }
