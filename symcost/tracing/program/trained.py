"""What is trained: the parameters that a filter selects, by patterns of paths, nnx filters or a function of the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from symcost.errors import TraceError
from symcost.hlo.reading.scopes import mark
from symcost.reading import glob
from symcost.reading.numerals import short
from symcost.tracing.program.modules import nnx
from symcost.tracing.program.paths import names_along

Path = tuple[Any, ...]
Predicate = Callable[[Path, Any], bool]


class Unmatched(Exception):
    """A filter that selected something at other points selects nothing at this one."""


@dataclass
class Trained:
    """A filter of parameters; none trains all of them.

    Texts are patterns of whole paths (:mod:`symcost.reading.glob`), those that begin with ``!`` leave out; of a list, what any of
    its other entries selects is trained. Every entry must select something.
    """

    given: Any = None
    _selected: set[int] = field(default_factory=set)  # entries that have selected something at some point

    def __post_init__(self) -> None:
        self.entries = list(self.given) if isinstance(self.given, list | tuple) else [self.given]
        for entry in self.entries:
            if isinstance(entry, str):
                glob.checked(entry, "wrt")
        if not self.entries:
            raise TraceError("wrt is empty: give a pattern such as '**/lora/**', or leave it out to train everything")

    def mask(self, params: Any) -> list[bool]:
        """For every array of the parameters, in order, whether it is trained."""
        if self.given is None:
            return [True] * len(jax.tree.leaves(params))
        variables = list(_variables(params))
        chosen = [
            [bool(test(path, value)) for path, value, _ in variables] for test in map(self._predicate, self.entries)
        ]
        for index, entry in enumerate(self.entries):
            if any(chosen[index]):
                self._selected.add(index)
            else:
                raise self._nothing(index, entry, variables)
        left_out = [isinstance(entry, str) and entry.startswith("!") for entry in self.entries]
        wanted = [matches for matches, out in zip(chosen, left_out, strict=True) if not out]
        unwanted = [matches for matches, out in zip(chosen, left_out, strict=True) if out]
        trained = [
            (any(matches[i] for matches in wanted) if wanted else True) and not any(matches[i] for matches in unwanted)
            for i in range(len(variables))
        ]
        if not any(trained):
            raise TraceError(f"wrt={short(self.given)} trains nothing: what it selects is left out again")
        return [on for on, (_, _, number) in zip(trained, variables, strict=True) for _ in range(number)]

    def _nothing(self, index: int, entry: Any, variables: list[tuple[Path, Any, int]]) -> Exception:
        if index in self._selected:
            return Unmatched(f"wrt={short(entry)} matches no parameter")
        if isinstance(entry, str):
            return TraceError(str(glob.no_match(entry, (_text(path) for path, _, _ in variables), "wrt")))
        kinds = ", ".join(dict.fromkeys(type(value).__name__ for _, value, _ in variables)) or "none"
        return TraceError(f"wrt={short(entry)} selects no parameter: their types are {kinds}")

    @staticmethod
    def _predicate(entry: Any) -> Predicate:
        if isinstance(entry, str):
            pattern = entry.removeprefix("!")
            return lambda path, value: glob.matches(pattern, _text(path))
        return lambda path, value: _asked(entry, path, value)


def _text(path: Path) -> str:
    return "/".join(map(str, path))


def _variables(params: Any) -> Iterator[tuple[Path, Any, int]]:
    """(path, variable, number of its arrays) of all parameters, in the order of their arrays."""
    for keys, value in jax.tree_util.tree_leaves_with_path(params, is_leaf=nnx.is_variable):
        raw = nnx.is_variable(value)  # whose filters compare the keys themselves, numbers of a list among them
        path = tuple(key.key for key in keys) if raw else tuple(names_along(keys))
        yield path, value, len(jax.tree.leaves(value))


def _asked(entry: Any, path: Path, value: Any) -> bool:
    """What a filter of nnx, or a function of path and array, says of one parameter."""
    if nnx.is_variable(value):
        return nnx.selects(entry, path, value)
    if isinstance(entry, type) or not callable(entry):
        raise TraceError(
            f"wrt={short(entry)} is no filter of a linen model: give patterns such as '**/lora/**', or a function of path and array"
        )
    return bool(entry(path, value))


def split(params: Any, mask: Sequence[bool]) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The arrays that are trained, and a function that puts such arrays among the others again."""
    leaves, tree = jax.tree.flatten(params)

    def merged(trained: list[Any]) -> Any:
        given = iter(trained)
        return jax.tree.unflatten(tree, [next(given) if on else leaf for leaf, on in zip(leaves, mask, strict=True)])

    return [leaf for leaf, on in zip(leaves, mask, strict=True) if on], merged


def summed(leaf: jax.Array) -> jax.Array:
    """All elements added up in ``float32``; the gradient of each is one number, which has the array's type before it is spread.

    >>> jax.make_jaxpr(jax.grad(summed))(jax.ShapeDtypeStruct((2, 3), jnp.bfloat16)).jaxpr.eqns[-1].primitive.name
    'broadcast_in_dim'
    """
    kind = jax.typeof(leaf)

    @jax.custom_vjp
    def total(leaf: jax.Array) -> jax.Array:
        return jnp.sum(leaf.astype(jnp.float32))

    def spread(_: None, one: jax.Array) -> tuple[jax.Array]:
        with jax.named_scope(mark("loss")):
            return (jax.lax.broadcast_in_dim(one.astype(kind.dtype), kind.shape, (), out_sharding=kind.sharding),)

    total.defvjp(lambda leaf: (total(leaf), None), spread)
    return total(leaf)
