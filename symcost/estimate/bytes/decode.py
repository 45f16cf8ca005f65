"""Inference of decoders: prefill takes the whole prompt at once, decoding one token against a cache of keys and values.

The cache holds ``2 L H_kv d_k`` numbers for each token of each sequence (Kwon et al.: PagedAttention, arXiv:2309.06180).
"""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

import sympy

from symcost.costs.cost import Count
from symcost.costs.dtypes import BYTE, bits_of
from symcost.costs.exact import rational
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.estimate.bytes.network import layers_of
from symcost.layers.base import Layer
from symcost.layers.kinds.attention import Attention
from symcost.layers.sizes.algebra import size
from symcost.layers.sizes.types import SizeLike
from symcost.layers.table import table
from symcost.reading.given import checked

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


@checked
def kv_cache(costs: CostTable, dtype: str = "float16") -> Count:
    """Bytes of the keys and values that a table of a decoding step keeps, the new token's among them.

    Those of earlier tokens are the table's state too, and stand in ``costs.state`` and ``sc.memory``.

    Raises:
        SymcostError: where there are no layers, or none of them is attention.
        DeviceError: where ``dtype`` is no number type.

    >>> from symcost.models.catalog import reference
    >>> kv_cache(decoding(reference("llama").net(H_kv=32, d_f=11008, V=32000), M="M"))  # LLaMA 7B
    524288*M*n
    """
    kept = [sympy.Mul(*row.out, row.times) for row in costs.rows if row.op == CACHE]
    if not kept:
        raise SymcostError("this table keeps no keys and values: make one of a decoding step with sc.decoding")
    total = sympy.expand(sympy.Add(*kept) * rational(Fraction(bits_of(dtype), BYTE)))
    return int(total) if total.is_Integer else total
