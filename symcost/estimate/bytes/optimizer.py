"""Bytes of an optimizer's state, from the optimizer itself: any optax transformation, run on shapes alone.

Symbolic sizes stand in as distinct primes; the shapes of the state that ``jax.eval_shape`` gives are read back into
symbols by their prime factors, and the result must be the same for small and for large primes, in either order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any

import sympy

from symcost.costs.dtypes import ASSUMED, bits_of
from symcost.costs.rows import Row
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.reading.numerals import is_positive

LARGE = 10_007
STORED = {"tensorfloat32": "float32", "float8": "float8_e4m3fn"}
"""Number types that JAX calls otherwise."""
UNSTORED = ("float4", "int4")
"""Half a byte a number: JAX keeps none in arrays of its own."""
TRACED = "traced"
Path = tuple[str, ...]


def optimizer_state(costs: CostTable, optimizer: Any, dtype: str = "float32", *, least: int = 1) -> Any:
    """Bytes of the state that ``optimizer.init`` makes for the parameters that are trained, exact in the table's symbols.

    ``costs`` is of a traced model, whose parameters have shapes; they stand in a tree of its modules, as masks and labels
    by path need it (modules that a symbol repeats are one, with ``#`` for their number). ``dtype``: the number type of the
    parameters that it is made for, or ``"traced"`` for their own. Where the form changes with the
    sizes, as Adafactor's does at 128, that is an error; ``least`` says that every symbol is at least this.
    """
    declared = [row for row in costs.rows if row.source == "input" and row.op.startswith("param")]
    shapes = {_path(row): row for row in declared if row.cost.frozen == 0}
    if not declared:
        raise SymcostError("the table declares no parameters with shapes: trace the model, layers have none")
    if not callable(getattr(optimizer, "init", None)):
        raise SymcostError(
            f"optimizer={optimizer!r} has no init: give an optax transformation, such as optax.adam(1e-3)"
        )
    if not is_positive(least):
        raise SymcostError(f"least={least!r} must be a positive integer: the least value of every symbol")
    sizes = list(dict.fromkeys(d for row in shapes.values() for d in row.out if not _known(d)))
    literals = [int(d) for row in shapes.values() for d in row.out if _known(d)]
    kinds = {path: _stored(row.dtype or ASSUMED if dtype == TRACED else dtype) for path, row in shapes.items()}
    small, large = (list(islice(_primes(start, literals), len(sizes))) for start in (least, max(LARGE, 2 * least)))
    states = [
        _state(shapes, optimizer, kinds, dict(zip(sizes, primes, strict=True)))
        for primes in ((small, large, large[::-1]) if sizes else (small,))
    ]
    if any(sympy.expand(other - states[0]) != 0 for other in states[1:]):
        raise SymcostError(
            f"the optimizer's state has not one form for all sizes from {least} on: give every size a number, "
            "or a least size, such as least=128"
        )
    return int(states[0]) if states[0].is_Integer else states[0]


def _path(row: Row) -> Path:
    """Modules, and the parameter's name."""
    return (*(part for part in row.path.split("/") if part), row.op.removeprefix("param").strip())


def _known(length: Any) -> bool:
    return isinstance(length, int) or bool(getattr(length, "is_Integer", False))


def _stored(dtype: str) -> str:
    """The number type by JAX's name."""
    bits_of(dtype)
    if dtype in UNSTORED:
        raise SymcostError(
            f"parameters in {dtype} are no arrays of JAX: give the number type that is trained, as float32"
        )
    return STORED.get(dtype, dtype)


def _state(shapes: Mapping[Path, Row], optimizer: Any, kinds: Mapping[Path, str], stands: Mapping[Any, int]) -> Any:
    import jax

    tree: dict[str, Any] = {}
    for path, row in shapes.items():
        inner = tree
        for module in path[:-1]:
            inner = inner.setdefault(module, {})
        shape = tuple(stands.get(length, 0) or int(length) for length in row.out)
        inner[path[-1]] = jax.ShapeDtypeStruct(shape, kinds[path])
    try:
        with jax.enable_x64(True) if "float64" in kinds.values() else nullcontext():
            state = jax.eval_shape(optimizer.init, tree)
    except Exception as problem:
        said = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise SymcostError(f"the optimizer's init fails on the model's parameters: {said}") from None
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    parts = []
    for keys, leaf in leaves:
        size = sympy.Mul(leaf.dtype.itemsize, *(_read(length, stands) for length in leaf.shape))
        parts.append(_times(_names(keys), leaf, shapes) * size)
    return sympy.expand(sympy.Add(*parts))


def _names(keys: Sequence[Any]) -> Path:
    """The names of mappings on the way to a leaf; the optimizer's own tuples and fields have none."""
    return tuple(str(key.key) for key in keys if hasattr(key, "key"))


def _times(names: Path, leaf: Any, shapes: Mapping[Path, Row]) -> Any:
    """How often a part of the state is there: as its parameter, whose path ends its own."""
    owner = next((shapes[names[start:]] for start in range(len(names)) if names[start:] in shapes), None)
    if owner is not None:
        return owner.times
    if leaf.shape and any(row.times != 1 for row in shapes.values()):
        raise SymcostError(
            "the optimizer keeps arrays that belong to no one parameter, and a module of the model is repeated: "
            "trace it with its number of layers given"
        )
    return 1


def _read(length: int, stands: Mapping[Any, int]) -> Any:
    """A length as a product of the sizes whose primes divide it."""
    product: Any = sympy.Integer(1)
    for size, prime in stands.items():
        while length % prime == 0:
            product, length = product * size, length // prime
    return product * length


def _primes(least: int, literals: Sequence[int]) -> Iterator[int]:
    """Primes from ``least`` on that divide none of the sizes which are numbers."""
    prime = least - 1
    while True:
        prime = int(sympy.nextprime(prime))
        if all(length % prime for length in literals):
            yield prime
