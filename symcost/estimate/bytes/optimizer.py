"""Bytes of an optimizer's state, from the optimizer itself: any optax transformation, run on shapes alone.

Symbolic sizes stand in as distinct primes; the shapes of the state that ``jax.eval_shape`` gives are read back into
symbols by their prime factors, and the result must be the same for small and for large primes, in either order. Under a plan
the optimizer sees whole parameters, and a device has of each size of its state what it has of the parameter's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
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
Primes = Mapping[Any, Sequence[int]]
"""What stands in for a size: one prime for each time that it is in one shape."""


@dataclass(frozen=True)
class _Parameter:
    """A parameter that is trained: its sizes, what a device has of each, the number type of its state, how often it is there."""

    shape: tuple[Any, ...]
    local: tuple[Any, ...]
    dtype: str
    times: Any

    def numbers(self, primes: Primes) -> tuple[int, ...]:
        """The shape with primes in it."""
        seen = Counter[Any]()
        found = []
        for length in self.shape:
            found.append(int(length) if _known(length) else primes[length][seen[length]])
            seen[length] += 1
        return tuple(found)

    def share(self, leaf: Sequence[int], primes: Primes) -> Any:
        """How many numbers a device has of an array of the state that is made for it."""
        numbers = self.numbers(primes)
        if tuple(leaf) == numbers:
            return sympy.Mul(*self.local)
        own = list(zip(self.shape, numbers, self.local, strict=True))
        stands = [(number, local) for size, number, local in own if not _known(size)]
        return sympy.Mul(*(self._share(*_read(length, stands), own) for length in leaf))

    def _share(self, product: Any, rest: int, own: Sequence[tuple[Any, int, Any]]) -> Any:
        parts = {local for size, number, local in own if _known(size) and number == rest != 1}
        if len(parts) > 1:
            shape = ", ".join(map(str, self.shape))
            raise SymcostError(
                f"the optimizer keeps {rest} numbers for a parameter of shape ({shape}), two of whose sizes are cut otherwise: "
                "leave one of them a symbol"
            )
        return product * (parts.pop() if parts else rest)


def optimizer_state(costs: CostTable, optimizer: Any, dtype: str = "float32", *, least: int = 1) -> Any:
    """Bytes of the state that ``optimizer.init`` makes for the parameters that are trained, exact in the table's symbols.

    ``costs`` is of a traced model, whose parameters have shapes; they stand in a tree of its modules, as masks and labels
    by path need it (modules that a symbol repeats are one, with ``#`` for their number). ``dtype``: the number type of the
    parameters that it is made for, or ``"traced"`` for their own. Where the form changes with the
    sizes, as Adafactor's does at 128, that is an error; ``least`` says that every symbol is at least this. Of a table that was
    traced with a plan the bytes are those of one device.
    """
    declared = {_path(row): row for row in costs.rows if row.source == "input" and row.op.startswith("param")}
    if not declared:
        raise SymcostError("the table declares no parameters with shapes: trace the model, layers have none")
    if not callable(getattr(optimizer, "init", None)):
        raise SymcostError(
            f"optimizer={optimizer!r} has no init: give an optax transformation, such as optax.adam(1e-3)"
        )
    if not is_positive(least):
        raise SymcostError(f"least={least!r} must be a positive integer: the least value of every symbol")
    own = (
        declared if costs.plan is None else {_path(row): row for row in costs.per_device.rows if row.source == "input"}
    )
    trained = {
        path: _Parameter(row.out, own[path].out, _stored(row.dtype or ASSUMED if dtype == TRACED else dtype), row.times)
        for path, row in declared.items() if row.cost.frozen == 0
    }  # fmt: skip
    counts = [Counter(d for d in each.shape if not _known(d)) for each in trained.values()]
    sizes = {size: max(count[size] for count in counts) for size in dict.fromkeys(d for count in counts for d in count)}
    literals = [int(d) for each in trained.values() for d in each.shape if _known(d)]
    states = [
        _state(trained, optimizer, primes)
        for primes in (
            _standing(sizes, literals, least),
            _standing(sizes, literals, max(LARGE, 2 * least)),
            _standing(dict(reversed(sizes.items())), literals, max(LARGE, 2 * least)),
        )[: 3 if sizes else 1]
    ]
    if any(sympy.expand(other - states[0]) != 0 for other in states[1:]):
        raise SymcostError(
            f"the optimizer's state has not one form for all sizes from {least} on: give every size a number, "
            "or a least size, such as least=128"
        )
    return int(states[0]) if states[0].is_Integer else states[0]


def _standing(sizes: Mapping[Any, int], literals: Sequence[int], least: int) -> Primes:
    """Primes from ``least`` on, those of one size next to each other."""
    primes = _primes(least, literals)
    return {size: list(islice(primes, times)) for size, times in sizes.items()}


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


def _state(trained: Mapping[Path, _Parameter], optimizer: Any, primes: Primes) -> Any:
    import jax

    tree: dict[str, Any] = {}
    for path, each in trained.items():
        inner = tree
        for module in path[:-1]:
            inner = inner.setdefault(module, {})
        inner[path[-1]] = jax.ShapeDtypeStruct(each.numbers(primes), each.dtype)
    wide = any(each.dtype == "float64" for each in trained.values())
    try:
        with jax.enable_x64(True) if wide else nullcontext():
            state = jax.eval_shape(optimizer.init, tree)
    except Exception as problem:
        said = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise SymcostError(f"the optimizer's init fails on the model's parameters: {said}") from None
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return sympy.expand(sympy.Add(*(_bytes(_names(keys), leaf, trained, primes) for keys, leaf in leaves)))


def _names(keys: Sequence[Any]) -> Path:
    """The names of mappings on the way to a leaf; the optimizer's own tuples and fields have none."""
    return tuple(str(key.key) for key in keys if hasattr(key, "key"))


def _bytes(names: Path, leaf: Any, trained: Mapping[Path, _Parameter], primes: Primes) -> Any:
    """Bytes of a part of the state, which is there as often as its parameter, whose path ends its own."""
    owner = next((trained[names[start:]] for start in range(len(names)) if names[start:] in trained), None)
    if owner is not None:
        return leaf.dtype.itemsize * owner.share(leaf.shape, primes) * owner.times
    if leaf.shape and any(each.times != 1 for each in trained.values()):
        raise SymcostError(
            "the optimizer keeps arrays that belong to no one parameter, and a module of the model is repeated: "
            "trace it with its number of layers given"
        )
    stands = [(prime, size) for size, several in primes.items() for prime in several]
    return sympy.Mul(leaf.dtype.itemsize, *(sympy.Mul(*_read(length, stands)) for length in leaf.shape))


def _read(length: int, stands: Sequence[tuple[int, Any]]) -> tuple[Any, int]:
    """A length as a product of the sizes whose primes divide it, and what is left of it."""
    product: Any = sympy.Integer(1)
    for prime, size in stands:
        while length % prime == 0:
            product, length = product * size, length // prime
    return product, length


def _primes(least: int, literals: Sequence[int]) -> Iterator[int]:
    """Primes from ``least`` on that divide none of the sizes which are numbers."""
    prime = least - 1
    while True:
        prime = int(sympy.nextprime(prime))
        if all(length % prime for length in literals):
            yield prime
