"""What a call is given, in every form: texts of specs, arrays, abstract arrays and trees of them; all else is fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy

from symcost.costs.spec import Spec, looks_like_spec, parse_spec, where
from symcost.errors import SpecError

__all__ = [
    "Spec",
    "array_at",
    "filled",
    "looks_like_spec",
    "parse_spec",
    "parse_tree",
    "tree_at",
    "tree_symbols",
    "where",
]


NAMES = ("n", "N", "m", *(f"n_{i}" for i in range(1, 100)))
"""What a size may be called."""
COARSE = 8
"""So many elements for each unit of a symbol make a size far larger than its number."""


def array_at(spec: Spec, point: Mapping[str, int]) -> jax.ShapeDtypeStruct:
    """The abstract array of a spec at integers."""
    return abstract(spec, spec.shape(point))


def abstract(spec: Spec, shape: tuple[Any, ...]) -> jax.ShapeDtypeStruct:
    """An abstract array of a spec's number type."""
    try:
        return jax.ShapeDtypeStruct(shape, jnp.dtype(spec.dtype))
    except TypeError:
        raise SpecError(f"the number type of {spec} is unknown to the ml_dtypes that is installed: update it") from None


def parse_tree(tree: Any, is_spec: Callable[[str], bool] = lambda text: True) -> Any:
    """The same tree with a spec for every array, for every abstract array and for every text that ``is_spec``.

    Everything else stays as it is. Of an array its sizes and its number type are taken, and no number in it.
    """
    return jax.tree.map(lambda leaf: _read(leaf, is_spec), tree, is_leaf=is_array)


def _read(leaf: Any, is_spec: Callable[[str], bool]) -> Any:
    if isinstance(leaf, str):
        return parse_spec(leaf) if is_spec(leaf) else leaf
    if not is_array(leaf) or isinstance(leaf, Spec):
        return leaf
    if jnp.issubdtype(leaf.dtype, jax.dtypes.extended):  # random keys: no text names their type
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)
    dtype = jax.dtypes.canonicalize_dtype(leaf.dtype)
    return Spec(dtype.name, tuple(map(sympy.Integer, leaf.shape)), example=True)


def is_array(value: Any) -> bool:
    """Whether it is an array, abstract or not, rather than a plain value; numpy's numbers are plain values.

    >>> [is_array(each) for each in (np.zeros(3), jnp.float32(2), np.float32(2), 2.0, "float32[n]", [1, 2])]
    [True, True, False, False, False, False]
    """
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "OSUMm"
    return isinstance(value, Spec | jax.Array | jax.ShapeDtypeStruct)


def tree_at(tree: Any, point: Mapping[str, int]) -> Any:
    """Abstract arrays for a tree of specs at integers, and None in the place of what is fixed."""

    def kept(leaf: Any) -> Any:
        return array_at(leaf, point) if isinstance(leaf, Spec) else leaf if is_array(leaf) else None

    return jax.tree.map(kept, tree)


def filled(tree: Any, arrays: Any) -> Any:
    """A tree with these arrays in the place of its specs; what is fixed is as it was given."""
    leaves, structure = jax.tree.flatten(tree)
    given = structure.flatten_up_to(arrays)
    return structure.unflatten(array if is_array(leaf) else leaf for leaf, array in zip(leaves, given, strict=True))


def texts(tree: Any) -> Any:
    """A tree with the texts of its specs, and of arrays, from which another process reads it again."""
    return jax.tree.map(lambda leaf: str(leaf) if isinstance(leaf, Spec) else leaf, parse_tree(tree, looks_like_spec))


def told(tree: Any) -> str:
    """What tells a tree from others in one text: the path of each leaf, and what stands there.

    >>> print(told(["float32[n]", {"axis": 1}]))
    [('[0]', 'float32[n]'), ("[1]['axis']", 1)]
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(texts(tree))
    return repr([(jax.tree_util.keystr(path), leaf) for path, leaf in leaves])


def _specs(tree: Any) -> list[Spec]:
    """The specs of a tree, in order."""
    return [leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, Spec)]


def _sizes(tree: Any) -> list[tuple[Any, Any]]:
    """Each symbol in a tree of specs beside the size that it is in, in order of appearance."""
    return [(s, dim) for spec in _specs(tree) for dim in spec.dims for s in sorted(dim.free_symbols, key=str)]


def tree_symbols(tree: Any) -> list[str]:
    """Names of the symbols in a tree of specs, in order of appearance."""
    return list(dict.fromkeys(str(s) for s, _ in _sizes(tree)))


def leading(tree: Any) -> list[str]:
    """Names of the symbols that are the first size of an array in a tree of specs: batches, which may be of one.

    >>> leading((parse_spec("int32[n,N]"), parse_spec("float32[2*m,d]")))
    ['n']
    """
    firsts = [spec.dims[0] for spec in _specs(tree) if spec.dims]
    return list(dict.fromkeys(str(first) for first in firsts if first.is_Symbol))


def coarse(tree: Any) -> list[str]:
    """Names of symbols of which a size in a tree of specs is a large multiple: patches or tiles of an image.

    >>> coarse((parse_spec("float32[n,16*k,16*k,3]"), parse_spec("float32[2*m,d]")))
    ['k']
    """
    return list(dict.fromkeys(str(s) for s, dim in _sizes(tree) if dim.as_coefficients_dict()[s] >= COARSE))


def about_example(tree: Any) -> str:
    """What the sizes of the first array that was given mean, and the text that gives symbols; nothing where none was."""
    example = next((spec for spec in _specs(tree) if spec.example and spec.dims), None)
    if example is None:
        return ""
    name = next(letter for letter in NAMES if letter not in tree_symbols(tree))
    text = Spec(example.dtype, (sympy.Symbol(name), *example.dims[1:]))
    return f"sizes are plain numbers where an array was given: '{text}' instead of {example} gives formulas in {name}"
