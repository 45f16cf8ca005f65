"""Inference of decoders: prefill takes the whole prompt at once, decoding one token against a cache of keys and values.

The cache holds ``2 L H_kv d_k`` numbers for each token of each sequence (Kwon et al.: PagedAttention, arXiv:2309.06180).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.costs.dtypes import BYTE, bits_of
from symcost.costs.exact import rational
from symcost.costs.mesh.plan import entering
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.bytes.network import layers_of
from symcost.layers.base import Layer
from symcost.layers.kinds.attention import Attention
from symcost.layers.sizes.algebra import size
from symcost.layers.sizes.types import SizeLike
from symcost.layers.table import table
from symcost.reading.given import checked_but
from symcost.reading.glob import checked as checked_pattern
from symcost.reading.glob import matches
from symcost.reading.nearest import listed, near, offered

TRACED = (
    "decoding needs the layers of a network: a traced model has the length it was traced at; trace one step with its keys "
    "and values as inputs, sc.trace_function(step, 'float32[n,1,d]', 'float32[n,M,d]')"
)
CACHE = "cache"
"""The operation that joins new keys or values to those kept."""
KEYS = "kept_keys"
"""How many there are, where it is put in later."""


def decoding(net: Layer | CostTable, M: SizeLike = "M", n: SizeLike = "n") -> CostTable:
    """One step of decoding: one new token of ``n`` sequences, each against ``M`` keys and values, the new one included.

    ``net``, layers or their table, takes tokens ``(n, N)``; every attention in it that has no length of its own gets
    ``M`` keys. A traced model is fixed to the length it was traced at: trace one step of it, with the keys and values as
    inputs of their own.

    Raises:
        SymcostError: where there are no layers, or none of them is attention.
        ShapeError: where the layers do not fit the tokens.

    >>> from symcost.models.catalog import reference
    >>> step = decoding(reference("llama").net())
    >>> step.total("textbook").macs
    262144*M*n + 7504658432*n
    """
    layers, length = layers_of(net, TRACED), size(M, "M")
    alone = length == 1  # nothing is joined to the new token's keys, and they are kept
    cached = _with_keys(layers, size(KEYS, "M") if alone else length)
    if cached is layers:
        raise SymcostError("the network has no attention that could keep keys and values: give a decoder's layers")
    step = table(cached, (n, 1))
    return step.subs(**{KEYS: 1}) if alone else step


def _with_keys(value: Any, M: Any) -> Any:
    """The layers with ``M`` keys in every attention; the same object where there is none."""
    if isinstance(value, tuple):
        copied = tuple(_with_keys(part, M) for part in value)
        return copied if any(new is not old for new, old in zip(copied, value, strict=True)) else value
    if not isinstance(value, Layer):
        return value
    own = {field.name: getattr(value, field.name) for field in fields(value)}
    changed = {name: _with_keys(part, M) for name, part in own.items()}
    if isinstance(value, Attention) and value.M is None:
        changed["M"] = M
    if all(changed[name] is own[name] for name in own):
        return value
    copied = object.__new__(type(value))
    for name, part in changed.items():
        object.__setattr__(copied, name, part)
    return copied


@checked_but("caches")
def kv_cache(costs: CostTable, dtype: str | None = None, *, caches: str | Sequence[str] | None = None) -> Count:
    """Bytes of the keys and values that a table of a decoding step keeps, the new token's among them.

    Those of earlier tokens are the table's state too, and stand in ``costs.state`` and ``sc.memory``. They are in ``dtype``,
    ``float16`` unless given. Of a traced step ``caches`` says which of its arrays they are: patterns of their paths, which begin
    with the role of the array, as ``"inputs/1"`` or ``"state/**/cached_*"`` (:mod:`symcost.reading.glob`); each is in its own
    number type unless one is given, and as large as it enters the step.

    Raises:
        SymcostError: where nothing keeps keys and values, or a pattern fits no array of the program.
        DeviceError: where ``dtype`` is no number type.

    >>> import symcost as sc
    >>> from symcost.models.catalog import reference
    >>> kv_cache(decoding(reference("llama").net(H_kv=32, d_f=11008, V=32000), M="M"))  # LLaMA 7B
    524288*M*n
    >>> step = sc.trace_function(lambda q, k: q @ k.swapaxes(1, 2), "bfloat16[n,1,d]", "bfloat16[n,M,d]")
    >>> kv_cache(step, caches="inputs/1")
    2*M*d*n
    """
    kept = _cached(costs) if caches is None else list(_named(costs, [caches] if isinstance(caches, str) else [*caches]))
    bits = (sympy.Mul(size, bits_of(dtype or own or "float16")) for size, own in kept)
    total = sympy.expand(sympy.Add(*bits) * rational(Fraction(1, BYTE)))
    return int(total) if total.is_Integer else total


def _cached(costs: CostTable) -> list[tuple[Any, str]]:
    """Elements of what layers join new keys and values to."""
    kept = [(sympy.Mul(*row.out, row.times), "") for row in costs.rows if row.op == CACHE]
    if not kept:
        raise SymcostError(
            "this table keeps no keys and values by itself: of layers make one of a decoding step with sc.decoding, of a traced "
            "step say which of its arrays they are, as caches='inputs/1'"
        )
    return kept


def _named(costs: CostTable, patterns: Sequence[str]) -> Iterator[tuple[Any, str]]:
    """Elements and number types of the arrays that enter a program and that a pattern fits."""
    entered = [(entering(row), row) for row in costs.rows if row.source == "input"]
    for pattern in patterns:
        if not any(matches(checked_pattern(pattern, "caches"), path) for path, _ in entered):
            paths = list(dict.fromkeys(path for path, _ in entered))
            told = f"they are {listed(paths)}" if paths else "the table has none"
            raise SymcostError(
                f"caches={pattern!r} fits no array of the program: {offered(near(pattern, paths), told)}"
            )
    for path, row in entered:
        if any(matches(pattern, path) for pattern in patterns):
            yield sympy.Mul(*row.out, row.times), row.dtype
