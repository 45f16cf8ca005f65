"""The texts of random programs that decide by their sizes: heads of modules, conditions, values, layers, slices."""

from __future__ import annotations

HEAD = """\
import bisect
import decimal
import fractions
import functools
import json
import math
import struct
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
"""
NNX_HEAD = HEAD.replace("import flax.linen as nn", "import flax.linen as nn\nfrom flax import nnx")
PLAIN_HEAD = """\
import bisect
import decimal
import fractions
import functools
import json
import math
import struct
from dataclasses import dataclass

import numpy as np
"""
LINEN = """
class Dense(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x):
        return x @ self.param("kernel", nn.initializers.ones, (x.shape[-1], self.width))


def dense(x, width):
    return Dense(width)(x)


def norm(x, groups):
    return nn.GroupNorm(groups)(x)
"""
FUNCTION = """
def dense(x, width):
    return x @ jnp.ones((x.shape[-1], width), x.dtype)


def norm(x, groups):
    n, length, c = x.shape
    y = x.reshape(n, length, groups, c // groups)
    return (y - y.mean((1, 3), keepdims=True)).reshape(n, length, c)
"""
DIVISIBLE = """
def make_divisible(v, by=8):
    new = max(by, int(v + by / 2) // by * by)
    return new + by if new < 0.9 * v else new


def smallest(v, *widths):
    for width in widths:
        if v <= width:
            break
    return width


@dataclass(frozen=True)
class Config:
    size: int
    most: int = 512

    def __post_init__(self):
        if self.size < 1:
            raise ValueError(self.size)

    @property
    def width(self):
        return min(self.size, self.most // 4)


def named(v, least):
    match v:
        case 64:
            return 16
        case 100 | 256:
            return 24
        case 1000 if least > 3:
            return 32
        case _ if v > least:
            return 8
    return 12


def tried(v, table):
    try:
        return table[v]
    except KeyError:
        return 8


def checked(v, by):
    try:
        if v % by:
            raise ValueError("a rest")
        return v // by
    except ValueError:
        return v


def heads(v, most):
    for h in (16, 8, 4, 2):
        if v % h == 0 and h <= most:
            return h
    return 1


def chunks(v, by):
    whole, rest = divmod(v, by)
    return whole + 1 if rest else whole


def nested(v, a, b):
    if v > a:
        if v % b == 0:
            return 16 if v < 2 * a else 24
        return 8
    elif v == b:
        return 32
    return 12


def halves(v, least):
    often = 0
    while v > least:
        v //= 2
        often += 1
    return often


def odd(v):
    while v % 2 == 0:
        v //= 2
    return v


def doubled(v, first):
    while first < v:
        first *= 2
    return first


def thirds(v, least):
    return v if v <= least else thirds(v // 3, least) + 1
"""
LONG, WIDE = (3, 7, 16, 33, 100, 129, 512, 1000, 2048, 4096, 5000, 9000), (3, 8, 31, 64, 96, 100, 256, 600, 1024)
MODULI = (2, 3, 5, 7, 8, 12, 16, 24, 64, 96, 224)
SHARES = ("0.7", "0.25", "2.5", "1.3", "0.1", "2 / 3", "0.35")
DEEP, PERIODS = (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12, 17, 24), (2, 2, 3, 3, 4, 4, 5, 6, 8, 12)
"""Deep programs take long: most numbers of layers are small, what is found of them is found of larger ones."""
FACTORS = (1, 2, 3, 4, 8, 12)
FURTHEST, WIDEST, DEEPEST = 20_000, 4_096, 40
WHERE = ("helper", "cached", "lambda", "property", "kept", "plain", "named", "early")
LOOPS = (
    ("for i in range(L):", ()),
    ("for i in range(L):", ()),
    ("for i, _ in enumerate([0] * L):", ()),
    ("for i in reversed(range(L)):", ()),
    ("while i < L:", ("i += 1",)),
    ("for i in range(L // 2):", ()),
    ("for i in range(1, L + 1):", ()),
    ("for i in [*range(L)][::-1]:", ()),
)
LESS = (
    "s //= 2",
    "s //= 2",
    "s = -(-s // 2) - 1",
    "s = s // 3 + 1 if s > 3 else 1",
    "s = math.isqrt(s)",
    "s -= s // 4 + 1",
)
"""How a loop makes a size smaller; each comes to an end."""
KEPT = (
    "kinds = [{0} for i in range(L + 1)]",
    "kinds = dict((i, {0}) for i in range(L + 1))",
    "kinds = tuple('global' if {0} else '' for i in range(L + 1))",
)
"""Settings of all layers, made before the loop over them."""

CONDITIONS = (
    "{s} > {k}", "{s} >= {k}", "{s} < {k}", "{s} == {k}", "{s} != {k}", "{s} % {m} == 0", "{s} % {m}", "not {s} % {m}",
    "{s} in ({k}, {m}, {j})", "{s} in {{{k}, {j}}}", "{j} <= {s} < {j} + {k}", "{s} // {m} > {q}", "{s} / {m} > 1.5",
    "math.gcd({s}, {m}) == {m}", "math.gcd({s}, {m}) > 1", "{s}.bit_length() > 8", "math.log2({s}) > 8",
    "math.sqrt({s}) > 20", "({s} & ({s} - 1)) == 0", "{s} & 4", "divmod({s}, {m})[1] == 1", "divmod({s}, {m})[0] > {q}",
    "-(-{s} // {m}) % 2 == 1", "int({f} * {s}) > {k}", "round({s} / {m}) % 2", "math.ceil({s} / {m}) > {q}",
    "np.log2({s}) > 7.5", "max({s}, {k}) > {k}", "min({s}, {k}) == {k}", "{s} ** 2 > {k} * 10", "abs({s} - {k}) < {m}",
    "{{{k}: 2, {j}: 3}}.get({s}, 1) > 1", "any({s} == v for v in ({k}, {j}))", "{s} * {t} > {k}", "{s} > {t}",
    "{s} % {t} == 0", "{s} - {k}", "isinstance({s}, int) and {s} > {k}", "len(range({s})) > {k}",
    "{s} > {k} and {s} % {m} == 0", "{s} < {j} or {s} > {j} + {k}", "not ({s} > {k})", "{s} >> 3 > {q}",
    "bool({s} > {k})", "({s}, {m}) == ({k}, {m})", "({s}, 3) > ({k}, 2)", "(lambda v: v > {k})({s})",
    "sum(1 for v in ({k}, {j}) if {s} > v) == 1", "[v for v in ({k}, {j}) if v < {s}]", "all(({s} > {j}, {s} != {k}))",
    "np.int64({s}) > {k}", "float({s}) > {k}", "{s} / {t} > 2", "{s} * 3 // {m} == {q}",
    "math.isqrt({s}) > {q}", "({s} / {m}).is_integer()", "{s} ^ 1 > {k}", "int({s}) > {k}", "sorted(({k}, {s}))[0] == {k}",
    "np.prod(({s}, 2)) > {k}", "range({k})[-1] < {s}", "{s} in range({j}, {k})", "{s} == {k} == {s}",
    "Config({s}) == Config({k})", "Config({s}) in (Config({k}), Config({j}))", "Config({s}).width > {m}",
    "tried({s}, {{{k}: 0}})",
    "{s} // {m} in ({q}, {p})", "{s} == {k} or {s} % {m} == 1", "min({s}, {k} // {m}) > {q}", "chunks({s}, {m}) > {q}",
    "np.float64({s}) > {k}", "np.int64({s}) % {m} == 0", "0.5 * {s} >= {k}", "{f} * {s} > {k} + 0.5", "{s} > {f} * {k}",
    "{s} % {m} < {q}", "({s} // {m}) % 2", "{s} & ~7 == {k}", "len(str({s})) > {q}", "nested({s}, {k}, {m}) > 12",
    "json.dumps([{s}]) == '[{k}]'", "struct.pack('d', {s} / 2) == struct.pack('d', {k} / 2)",
    "{{Config({k}): 1}}.get(Config({s}))",
    "np.array([{k}, {j}])[int({s} > {k})] == {j}", "{s} > np.mean([{k}, {j}])", "int(np.prod([{s}, 2])) > {k}",
    "round({s} ** 0.5) ** 2 == {s}", "{s} ** 1.5 > {k}", "2 ** ({s} % {m}) > {k}", "halves({s}, {m}) > {q}", "odd({s}) > {m}",
)  # fmt: skip
VALUES = (
    "max(1, {s} // {m})", "min({k}, {s})", "max(1, int({f} * {s}))", "max(1, round({s} / {m}))", "math.ceil({s} / {m})",
    "make_divisible({f} * {s})", "-(-{s} // {m}) * {m}", "{s} + -{s} % {m}", "max({m}, {s})", "{s} % {m} + 1",
    "math.gcd({s}, {m})", "abs({s} - {k}) + 1", "{s}.bit_length()", "8 if {s} > {k} else {m}", "min(max({s}, {j}), {k})",
    "({m}, 8)[{s} > {k}]", "1 << ({s} - 1).bit_length()", "int(math.sqrt({s})) + 1", "divmod({s}, {m})[1] + 1",
    "int({s} ** 0.5) + 1", "max(8, int({f} * {s}) // 8 * 8)", "{{{k}: 16}}.get({s}, 8)", "math.lcm({s}, {m}) // {s}",
    "int(np.ceil({s} / {m}))", "min({s}, {t})", "max({s}, {t})", "int({s} * {f} + 0.5)", "({s} + {m} - 1) // {m}",
    "2 ** int(math.log2({s}))", "math.floor({s} * {f}) + 1", "len([v for v in ({k}, {j}) if v < {s}]) + 1",
    "smallest({s}, {m}, {k})", "smallest({s}, 8, {m}, {k}, {j})", "next((v for v in ({m}, {k}) if {s} <= v), 8)",
    "min({m}, max(1, {s} // 64))", "{s} // math.gcd({s}, {m})", "8 * ({s} // {m} or 1)", "sum(divmod({s}, {m})) + 1",
    "{s} // 2 + {s} % 2", "max({s} - {k}, {k} - {s}) + 1", "8 * len(range(0, {s}, {k}))", "int({s} * {f}) // {p} * {p} + {p}",
    "min(64, max(1, {s} // {m}))", "int(round({f} * {s}, -1)) + 1", "{s} if {s} % {m} else {s} // {m}",
    "named({s}, {k})", "tried({s}, {{{k}: 16, {j}: 24}})", "checked({s}, {m})", "heads({s}, {m})", "chunks({s}, {m})",
    "Config({s}).width", "nested({s}, {k}, {m})", "min({s}, {k} // {m} + 1)", "{k} // {s} + 1",
    "int(np.clip({s}, {m}, {m} + {k}))",
    "int(np.minimum({s}, {k}))", "int(np.int64({s}) // {m}) + 1", "int(np.float64({s}) * {f}) + 1", "len(str({s}))",
    "math.isqrt({s}) + 1", "int({s} ** (1 / 3)) + 1", "({s} & 7) + 1", "sorted(({s}, {k}, {j}))[1]", "max(8, {s} - {s} % {m})",
    "{s} * {p} // {m} + 1", "round({f} * {s} / 8) * 8 + 8", "int(decimal.Decimal({s} / 4)) + 1",
    "sum(({s} > {k}, {s} > {j}, 1))",
    "functools.reduce(lambda a, b: a * b, (2, {s})) // {m} + 1", "int(np.round({s} / {m})) + 1",
    "fractions.Fraction({s}, {m}).denominator",
    "len(range({p}, {s} + {p}, {m}))", "np.arange(0, {s}, {m}).shape[0]", "({s} - 1) // {m} * {m} + {m}",
    "bisect.bisect(({j}, {k}), {s}) + 1",
    "int({s} ** 0.75) + 1", "round({s} ** 0.5) + 1", "{s} ** 2 // ({k} * {m}) + 1", "2 ** ({s} % {p}) + 1", "pow({s}, 2, {m}) + 1",
    "int({p} * math.log2({s})) + 1", "int(8 * 1.5 ** ({s} // {k} % {p}))", "{p} * halves({s}, {m}) + 1", "odd({s})",
    "doubled({s}, {m})", "thirds({s}, {m}) + 1", "math.comb({s}, 2) // {s} + 1",
)  # fmt: skip
LAYERS = (
    "i < {k}", "i >= {k}", "i == {k}", "i % {p} == {q}", "(i + 1) % {p} == 0", "i in ({k}, {j})", "i >= L - {k}",
    "i == L - 1", "L > {k}", "i < L // 2", "i * i < {k}", "i // {p} % 2 == 0", "i & 4", "L - i <= {k}",
    "i % {p} in (0, {q})", "({q}, 0, 1)[i % 3]", "{{{k}: 1}}.get(i, 0)", "i and i % {p} == 0", "{k} <= i < {k} + {j}",
    "i < {k} or i >= L - {j}", "i / L > 0.6", "round(i * 0.3) % 2", "divmod(i, {p})[1] == {q}", "L % {p} == i % {p}",
    "i in range({q}, L, {p})", "i not in ({k}, {j})", "i % {p} == {q} and L > {k}", "min(i, {k}) == {k}",
    "(1, 0, 0, 1, 0)[i % 5]", "'aabac'[i % 5] == 'b'", "i / max(1, L - 1) > 0.5", "2 ** (i % {p}) > 4",
    "i in range(L // 2)", "i >= max(L - {k}, 0)", "i == min(L - 1, {k})", "i + 1 == L or i == {k}",
    "i % {p} == L % {p}", "bool((i + 1) % {p})",
    "i < {f} * L", "i >= {f} * L", "(i + 1) / L <= {f}", "[k for k in range(L) if k % {p} == {q}].count(i)",
    "i < round({f} * L)",
    "dict(zip(range({k}), [1, 0] * {k})).get(i, 0)", "[0] * {k} + [1] * L and i >= {k}", "i in [L - 1, 0, {k}]",
    "i in {{*range(0, L, {p})}}",
    "i < divmod(L, {p})[0]", "i - L // {p} > 0", "min(i, L - 1 - i) < {q}", "named(i, {k}) > 8", "nested(i, {k}, {p}) > 12",
    "checked(i, {p}) < {k}", "i == {k} if L > {k} else i == 0", "str(i) == '{k}'", "f'block{{i % {p}}}' == 'block1'",
    "(('a',) * {p} + ('b',))[i % ({p} + 1)] == 'b'", "list(range(L))[i] == {k}", "i % {p} == {q} % {p} and i < L - {q}",
    "i ** 2 % {p} == 1", "2 ** i < {k}", "halves(i, 2) == {q}", "math.isqrt(i) == {q}", "i & (i - 1) == 0", "odd(i + 1) > {p}",
    "i == L // 2", "(i - {k}) % {p} == 0", "(i > {k}) != (i > {j})", "int(0.3 * L) == i", "i % 2 and i % {p} == 1",
)  # fmt: skip
EFFECTS = (
    "x = dense(dense(x, 24), 8)", "x = x + jnp.tanh(x)", "x = dense(jnp.concatenate([x, x], -1), 8)",
    "x = jax.nn.softmax(x, -1)", "x = x * x.mean(-1, keepdims=True)",
)  # fmt: skip
PLAIN_EFFECTS = EFFECTS[1:2] + EFFECTS[3:]
"""Those that make no layer."""
IN_LAYERS = (
    *EFFECTS,
    "x = x + jnp.pad(x, ((0, 0), (2 ** (i % 4), 0), (0, 0)))[:, : x.shape[1]]",
    "x = dense(dense(x, 8 + 8 * (i % 3)), 8)",
)

SLICES = (
    "x = x[:, -{k}:]", "x = x[:, :{k}]", "x = x[:, :min({s}, {k})]", "x = jnp.concatenate([x, x[:, :{k}]], 1)",
    "x = x[:, max(0, {s} - {k}):]", "x = jnp.pad(x, ((0, 0), (0, -{s} % {m}), (0, 0)))", "x = x[:, ::{p}]",
    "x = x[:, :{s} // {p} * {p}].reshape(2, -1, {p}, 8).sum(2)", "x = x + jnp.ones(({k}, 8))[:{s}].sum(0)",
    "x = jax.lax.top_k(x.swapaxes(1, 2), min({k}, {s}))[0].swapaxes(1, 2)", "x = x[:, {p}:]",
    "x = jnp.pad(x, ((0, 0), (0, -{s} % {m}), (0, 0))).reshape(2, -1, {m}, 8).max(2)",
    "x = x[:, :{s} // 2] * x[:, {s} - {s} // 2:]",
    "x = jnp.tanh(jnp.pad(x, ((0, 0), (0, -{s} % {m}), (0, 0))).reshape(2, -1, {m}, 8) * 2).reshape(2, -1, 8)[:, :{s}]",
    "x = x[:, :-1] + x[:, 1:] if {s} % 2 else x[:, ::2] - x[:, 1::2]", "x = jnp.repeat(x[:, ::{p}], {p}, 1)[:, :{s}]",
    "x = jax.lax.fori_loop(0, {s} // {p}, lambda _, y: jnp.tanh(y), x)",
    "x = x[:, :{s} // {p} * {p}].reshape(2, -1, 8 * {p})[..., :8]",
    "x = jax.lax.scan(lambda c, y: (c + y, c * y), x[:, 0], x.swapaxes(0, 1))[1].swapaxes(0, 1)",
    "x = jnp.roll(x, min({s}, {k}) // 2, 1)", "x = jax.image.resize(x[:, ::2], (2, {s}, 8), 'nearest')",
    "x = x[:, {s} % {m}:]", "x = x.at[:, :{k}].add(1.0)", "x = jnp.exp(x)[:, -{k}:] + 1",
    "x = jnp.tile(x, (1, 1 + {s} // {k}, 1))",
    "x = jnp.pad(x, ((0, 0), (0, max(0, {k} - {s})), (0, 0)))", "x = x[:, jnp.arange(min({k}, {s}))]",
    "x = x + jax.image.resize(jnp.ones(({k}, 8)), ({s}, 8), 'linear')",
    "x = x + (jnp.ones(({k}, 8)) if {s} == {k} else jax.image.resize(jnp.ones(({k}, 8)), ({s}, 8), 'linear'))",
    "x = jnp.concatenate([jnp.tanh(x[:, i:i + 9000]) for i in range(0, {s}, 9000)], 1)",
    "x = jnp.concatenate([x[:, :{s} // {m} * {m}].reshape(2, -1, {m}, 8).sum(2), x[:, {s} // {m} * {m}:]], 1)",
    "x = x + jnp.asarray(np.sin(np.arange({s})[:, None] / {k}), x.dtype)", "x = x + jnp.asarray(np.tri({s})[:, :1])",
    "x = jnp.where(jnp.arange({s})[:, None] < {k}, x, 0)", "x = jnp.pad(x, ((0, 0), ({p}, {p}), (0, 0)))[:, {p}:-{p}]",
    "x = jax.lax.dynamic_slice(x, (0, 0, 0), (2, min({s}, {k}), 8))", "x = jnp.split(x, [{s} // 2, {s} // 2 + 1], 1)[1] + x",
)  # fmt: skip
