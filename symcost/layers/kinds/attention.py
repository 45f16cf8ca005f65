"""Attention: softmax over keys, with as many heads of keys and values as wanted, and linear attention."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symcost.layers.base import Layer
from symcost.layers.kinds.activation import ReLU, Softmax
from symcost.layers.kinds.linear import Linear
from symcost.layers.sizes.algebra import Size, exact, ratio
from symcost.layers.sizes.tensor import LAST, Tensor
from symcost.layers.sizes.types import NONE, Dim, MaybeDim
from symcost.layers.tape import Tape


@dataclass(frozen=True)
class Attention(Layer):
    """``softmax(Q K^T/sqrt(d_k)) V`` in ``H`` heads, projected: ``(n, N, d) -> (n, N, d)``.

    ``H_kv`` heads of keys and values (``H`` unless given; fewer is grouped-query, 1 multi-query attention); ``d_k``
    features a head (``d/H`` unless given); ``causal`` masks later tokens; with ``M`` keys the ``N`` tokens are the last
    of ``M``, the ``M - N`` earlier keys and values stand in a cache; ``rotary`` turns queries and keys by their
    position.

    #params ``2 d d_k (H + H_kv)``, with bias ``+ d_k (H + 2 H_kv) + d``; MACs
    ``2 n N d d_k (H + H_kv) + 2 n N M d_k H``, the products that a causal mask hides included. Operations: the scale,
    ``n N d_k H``; softmax over ``n N H`` rows of ``M``; the choice of a mask, ``n N M H``, and its ``N M`` comparisons
    of positions (integer operations). Rotary: ``3/2`` per element and half a cosine and a sine per position and pair.

    >>> Attention(H=12).cost((1, 1024, 768), "textbook").macs
    4026531840
    """

    H: Dim
    H_kv: MaybeDim = NONE
    d_k: MaybeDim = NONE
    M: MaybeDim = NONE
    causal: bool = False
    rotary: bool = False
    bias: bool = True
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        (tokens,), d = self._tokens(tape, x), x.channels
        H_kv = self.H if self.H_kv is None else self.H_kv
        tape.whole(ratio(self.H, H_kv), f"H_kv={H_kv} heads of keys must divide H={self.H}: choose another H_kv")
        d_k = ratio(d, self.H) if self.d_k is None else self.d_k
        tape.whole(d_k, f"H={self.H} heads must divide the features d={d}: choose another H, or give d_k")
        M = tokens if self.M is None else self.M
        tape.at_least(exact(M - tokens), 0, f"M={M} keys are fewer than the {tokens} tokens of input {x}: give more")
        query = tape.run(Linear(self.H * d_k, bias=self.bias), x, "query")
        key = tape.run(Linear(H_kv * d_k, bias=self.bias), x, "key")
        value = tape.run(Linear(H_kv * d_k, bias=self.bias), x, "value")
        if self.rotary and (tokens, M) != (1, 1):  # a first token alone stands at position 0 and is not turned
            tape.whole(ratio(d_k, 2), f"rotary needs an even d_k, not {d_k}: choose another d_k")
            query, key = rotated(tape, query, key, tokens, d_k, tokens != M)
        if d_k != 1:  # the root of one is no scale
            tape.at_least(d_k, 2, "a single feature a head needs no scale: give d_k=1 as a number")
            query = tape.emit("scale", query, query, flops=query.size, in_place=True)
        if tokens != M:
            cached = key.shaped(H_kv * d_k, (M,))
            earlier = cached.size - key.size
            key, value = (tape.emit("cache", new, cached, state=earlier) for new in (key, value))
        scores = self._scores(tape, query, key, (x.n, self.H, tokens, M), d_k)
        out = query.shaped(self.H * d_k, (tokens,))
        out = tape.emit("context", (scores, value), out, macs=out.size * M, stores=True)
        return tape.run(Linear(d, bias=self.bias), out, "out")

    def _tokens(self, tape: Tape, x: Tensor) -> tuple[Size, ...]:
        if len(x.shape) != 3:
            raise tape.fail(f"the input {x} has {len(x.shape)} axes and must have 3: give it as (n, N, d)")
        return x.places

    def _scores(self, tape: Tape, query: Tensor, key: Tensor, shape: tuple[Size, ...], d_k: Size) -> Tensor:
        scores = Tensor(shape, LAST)
        scores = tape.emit("scores", (query, key), scores, macs=scores.size * d_k, stores=True)
        tokens, keys = shape[2:]
        if self.causal and tokens != 1:  # one token alone sees every key
            tape.at_least(tokens, 2, "a single token needs no mask: give N=1 as a number")
            shifted = 0 if keys == tokens else tokens
            scores = tape.emit(
                "mask", scores, scores, flops=scores.size, int_ops=tokens * keys + shifted, in_place=True,
                scratch=tokens * keys + tokens + keys,  # the mask, and the positions that are compared
            )  # fmt: skip
        return tape.run(Softmax(), scores, "softmax")


def rotated(tape: Tape, query: Tensor, key: Tensor, tokens: Size, d_k: Size, shifted: bool) -> tuple[Tensor, Tensor]:
    """Queries and keys turned by their position: 4 products and 2 sums for each pair of features.

    Angles are ``position/base^(2i/d_k)``: one product, one cosine and one sine for each position and pair.
    """
    pairs = tokens * ratio(d_k, 2)
    scaled, shift, calls = pairs, tokens if shifted else 0, 2 * pairs
    if d_k == 2:  # the only frequency of a single pair is 1
        scaled = 0
    else:
        tape.at_least(d_k, 3, "a single pair of features has one frequency: give d_k=2 as a number")
    if tokens == 1:  # a single position is a number, and its angles are computed before the program runs
        scaled = shift = calls = 0
    else:
        tape.at_least(tokens, 2, "a single token has one position: give N=1 as a number")
    angles = Tensor((tokens, ratio(d_k, 2)), LAST)
    angles = tape.emit("angles", (), angles, flops=scaled + shift, calls=calls)
    return tuple(tape.emit("rotate", (each, angles), each, flops=3 * each.size, in_place=True) for each in (query, key))  # type: ignore[return-value]


@dataclass(frozen=True)
class LinearCore(Layer):
    """``relu(Q)(relu(K)^T V)``, each row over its sum: the channels are heads of ``3 d_k``, queries, keys, values.

    ``(n, 3 H d_k, h, w) -> (n, H d_k, h, w)``, or tokens. No parameters; ``N`` places make ``2 n H N d_k (d_k + 1)``
    MACs, the sums being one more feature of the values; ``relu`` on queries and keys, a sum and a division.

    >>> LinearCore(16).cost((1, 48, 14, 14), "textbook").macs
    106624
    """

    d_k: Dim
    kind = "linear_core"
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        heads = ratio(x.channels, 3 * self.d_k)
        tape.whole(heads, f"the channels {x.channels} must be a multiple of 3 d_k={3 * self.d_k}: choose another d_k")
        places = prod(x.places)
        each = Tensor((x.n, heads, places, self.d_k), LAST)
        wide = Tensor((x.n, heads, places, self.d_k + 1), LAST)
        query, key = (tape.run(ReLU(), tape.emit("split", x, each), name) for name in ("query", "key"))
        value = tape.emit("pad", x, wide)
        states = Tensor((x.n, heads, self.d_k, self.d_k + 1), LAST)
        states = tape.emit("states", (key, value), states, macs=states.size * places, stores=True)
        sums = tape.emit("context", (query, states), wide, macs=wide.size * self.d_k, stores=True)
        out = x.shaped(heads * self.d_k, x.places)
        return tape.emit("normalise", sums, out, flops=out.size + out.rows * heads)


@dataclass(frozen=True)
class LinearAttention(Layer):
    """Attention without softmax, linear in the tokens: ``(n, N, d) -> (n, N, d)`` in ``H`` heads of ``d/H``.

    ``relu(Q)(relu(K)^T V)`` divided by its row sums, between projections: #params ``4 d^2``, with bias ``+ 4 d``; MACs
    ``4 n N d^2 + 2 n N d (d/H + 1)``.

    >>> LinearAttention(H=8).cost((1, 1024, 768), "textbook").macs
    2568486912
    """

    H: Dim
    bias: bool = True
    three_axes = LAST

    def forward(self, tape: Tape, x: Tensor) -> Tensor:
        d = x.channels
        d_k = ratio(d, self.H)
        tape.whole(d_k, f"H={self.H} heads must divide the features d={d}: choose another H")
        y = tape.run(Linear(3 * d, bias=self.bias), x, "qkv")
        y = tape.run(LinearCore(d_k), y, "core")
        return tape.run(Linear(d, bias=self.bias), y, "out")
