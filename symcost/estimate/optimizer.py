"""Bytes of an optimizer's state, from the optimizer itself: any optax transformation, run on shapes alone.

Symbolic sizes stand in as distinct large primes; the shapes of the state that ``jax.eval_shape`` gives are read back
into symbols by their prime factors, and the result must be the same for other primes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy

from symcost.errors import SymcostError
from symcost.table import CostTable

LARGE = 10_007
"""Primes start here: optimizers treat small matrices differently (Adafactor factors from 128 on)."""


def optimizer_state(costs: CostTable, optimizer: Any, dtype: str = "float32") -> Any:
    """Bytes of the state that ``optimizer.init`` makes for the model's parameters, exact in the table's symbols.

    ``costs`` is of a traced model, whose parameters have shapes. Sizes that are symbols are taken as large.
    """
    shapes = [(row.out, row.times) for row in costs.rows if row.source == "input" and row.op.startswith("param")]
    if not shapes:
        raise SymcostError("the table declares no parameters with shapes: trace the model, layers have none")
    first, second = (_state(shapes, optimizer, dtype, start) for start in (LARGE, 2 * LARGE))
    if sympy.expand(first - second) != 0:
        raise SymcostError("the optimizer's state does not follow the shapes alone: give every size a number")
    return int(first) if first.is_Integer else first


def _state(shapes: Sequence[tuple[Any, Any]], optimizer: Any, dtype: str, start: int) -> Any:
    import jax

    primes = _primes(start)
    stands: dict[Any, int] = {}
    for shape, _ in shapes:
        for length in shape:
            if not isinstance(length, int) and not getattr(length, "is_Integer", False) and length not in stands:
                stands[length] = next(primes)
    tree = {
        f"p{index}": jax.ShapeDtypeStruct(tuple(stands.get(d, 0) or int(d) for d in shape), dtype)
        for index, (shape, _) in enumerate(shapes)
    }
    leaves, _ = jax.tree_util.tree_flatten_with_path(jax.eval_shape(optimizer.init, tree))
    parts = []
    for path, leaf in leaves:
        owner = next((str(key.key) for key in path if hasattr(key, "key") and str(key.key) in tree), None)
        times = 1 if owner is None else shapes[int(owner[1:])][1]
        parts.append(sympy.Mul(times, leaf.dtype.itemsize, *(_read(length, stands) for length in leaf.shape)))
    return sympy.expand(sympy.Add(*parts))


def _read(length: int, stands: dict[Any, int]) -> Any:
    """A length as a product of the sizes whose primes divide it."""
    found: Any = sympy.Integer(1)
    for size, prime in stands.items():
        while length % prime == 0:
            found, length = found * size, length // prime
    return found * length


def _primes(start: int) -> Iterator[int]:
    while True:
        start = int(sympy.nextprime(start))
        yield start
