"""Random programs that decide by their sizes: thresholds, remainders, windows, roundings, layers that differ.

Each is the text of a module, written to a file and imported as a user's would be, so that its frames have lines.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

HEAD = """\
import functools
import math
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
"""
PLAIN_HEAD = """\
import functools
import math

import numpy as np
"""
LINEN = """
def dense(x, width):
    return nn.Dense(width)(x)


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
"""
LONG, WIDE = (3, 7, 16, 33, 100, 129, 512, 1000, 2048, 4096, 5000, 9000), (3, 8, 31, 64, 96, 100, 256, 600, 1024)
MODULI = (2, 3, 5, 7, 8, 12, 16, 24, 64, 96, 224)
SHARES = ("0.7", "0.25", "2.5", "1.3", "0.1", "2 / 3", "0.35")
DEEP, PERIODS = (1, 2, 3, 4, 5, 6, 9, 10, 12, 17, 24, 30), (2, 3, 4, 5, 6, 7, 8, 12)
FURTHEST, WIDEST, DEEPEST = 20_000, 4_096, 60
WHERE = ("helper", "cached", "lambda", "property", "plain", "named", "early")
LOOPS = (
    ("for i in range(L):", ()),
    ("for i in range(L):", ()),
    ("for i, _ in enumerate([0] * L):", ()),
    ("for i in reversed(range(L)):", ()),
    ("while i < L:", ("i += 1",)),
)


@dataclass
class Program:
    """The text of a program, its input, and the numbers that it compares each of its symbols with."""

    api: str
    parameters: tuple[str, ...]
    spec: str
    text: str = ""
    plain: str = ""
    """The text of a module beside it, which does not use jax."""
    numbers: dict[str, set[int]] = field(default_factory=dict)

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols: sizes of the input, then parameters."""
        return tuple(self.numbers)

    def __repr__(self) -> str:
        return f"{self.api} {self.spec}\n{self.plain}{self.text}"

    def written(self, folder: Path, name: str) -> Callable[..., Any]:
        """The factory of the model, or the function, imported from files in a folder."""
        if self.plain:
            _imported(folder, f"{name}_sizes", self.plain)
        module = _imported(folder, name, self.text.replace("SIZES", f"{name}_sizes"))
        return module.Model if self.api == "linen" else module.program


def _imported(folder: Path, name: str, text: str) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise AssertionError(f"{file} is no module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- what is said of a size ----------------------------------------------------------------------------------------
CONDITIONS = (
    "{s} > {k}", "{s} >= {k}", "{s} < {k}", "{s} == {k}", "{s} != {k}", "{s} % {m} == 0", "{s} % {m}", "not {s} % {m}",
    "{s} in ({k}, {m}, {j})", "{s} in {{{k}, {j}}}", "{j} <= {s} < {j} + {k}", "{s} // {m} > {q}", "{s} / {m} > 1.5",
    "math.gcd({s}, {m}) == {m}", "math.gcd({s}, {m}) > 1", "{s}.bit_length() > 8", "math.log2({s}) > 8",
    "math.sqrt({s}) > 20", "({s} & ({s} - 1)) == 0", "{s} & 4", "divmod({s}, {m})[1] == 1", "divmod({s}, {m})[0] > {q}",
    "-(-{s} // {m}) % 2 == 1", "int({f} * {s}) > {k}", "round({s} / {m}) % 2", "math.ceil({s} / {m}) > {q}",
    "np.log2({s}) > 7.5", "max({s}, {k}) > {k}", "min({s}, {k}) == {k}", "{s} ** 2 > {k} * 10", "abs({s} - {k}) < {m}",
    "{{{k}: 2, {j}: 3}}.get({s}, 1) > 1", "any({s} == v for v in ({k}, {j}))", "{s} * {t} > {k}", "{s} > {t}",
    "{s} % {t} == 0", "{s} - {k}", "str({s}).endswith('0')", "isinstance({s}, int) and {s} > {k}", "len(range({s})) > {k}",
    "{s} > {k} and {s} % {m} == 0", "{s} < {j} or {s} > {j} + {k}", "not ({s} > {k})", "{s} >> 3 > {q}", "hash({s}) == {k}",
    "bool({s} > {k})", "({s}, {m}) == ({k}, {m})", "({s}, 3) > ({k}, 2)", "(lambda v: v > {k})({s})",
    "sum(1 for v in ({k}, {j}) if {s} > v) == 1", "[v for v in ({k}, {j}) if v < {s}]", "all(({s} > {j}, {s} != {k}))",
    "np.int64({s}) > {k}", "float({s}) > {k}", "{s} / {t} > 2", "f'{{{s}}}' == '{k}'", "{s} * 3 // {m} == {q}",
    "math.isqrt({s}) > {q}", "({s} / {m}).is_integer()", "{s} ^ 1 > {k}", "int({s}) > {k}", "sorted(({k}, {s}))[0] == {k}",
    "np.prod(({s}, 2)) > {k}", "range({k})[-1] < {s}", "{s} in range({j}, {k})", "{s} == {k} == {s}",
)  # fmt: skip
VALUES = (
    "max(1, {s} // {m})", "min({k}, {s})", "max(1, int({f} * {s}))", "max(1, round({s} / {m}))", "math.ceil({s} / {m})",
    "make_divisible({f} * {s})", "-(-{s} // {m}) * {m}", "{s} + -{s} % {m}", "max({m}, {s})", "{s} % {m} + 1",
    "math.gcd({s}, {m})", "abs({s} - {k}) + 1", "{s}.bit_length()", "8 if {s} > {k} else {m}", "min(max({s}, {j}), {k})",
    "({m}, 8)[{s} > {k}]", "1 << ({s} - 1).bit_length()", "int(math.sqrt({s})) + 1", "divmod({s}, {m})[1] + 1",
    "int({s} ** 0.5) + 1", "max(8, int({f} * {s}) // 8 * 8)", "{{{k}: 16}}.get({s}, 8)", "math.lcm({s}, {m}) // {s}",
    "int(np.ceil({s} / {m}))", "min({s}, {t})", "max({s}, {t})", "int({s} * {f} + 0.5)", "({s} + {m} - 1) // {m}",
    "2 ** int(math.log2({s}))", "math.floor({s} * {f}) + 1", "len([v for v in ({k}, {j}) if v < {s}]) + 1",
    "min(64, max(1, {s} // {m}))", "int(round({f} * {s}, -1)) + 1", "{s} if {s} % {m} else {s} // {m}",
)  # fmt: skip
LAYERS = (
    "i < {k}", "i >= {k}", "i == {k}", "i % {p} == {q}", "(i + 1) % {p} == 0", "i in ({k}, {j})", "i >= L - {k}",
    "i == L - 1", "L > {k}", "i < L // 2", "i * i < {k}", "i // {p} % 2 == 0", "i & 4", "L - i <= {k}",
    "i % {p} in (0, {q})", "({q}, 0, 1)[i % 3]", "{{{k}: 1}}.get(i, 0)", "i and i % {p} == 0", "{k} <= i < {k} + {j}",
    "i < {k} or i >= L - {j}", "i / L > 0.6", "round(i * 0.3) % 2", "divmod(i, {p})[1] == {q}", "L % {p} == i % {p}",
    "i in range({q}, L, {p})", "i not in ({k}, {j})", "i % {p} == {q} and L > {k}", "min(i, {k}) == {k}",
    "i == L // 2", "(i - {k}) % {p} == 0", "(i > {k}) != (i > {j})", "int(0.3 * L) == i", "i % 2 and i % {p} == 1",
)  # fmt: skip
EFFECTS = (
    "x = dense(dense(x, 24), 8)", "x = x + jnp.tanh(x)", "x = dense(jnp.concatenate([x, x], -1), 8)",
    "x = jax.nn.softmax(x, -1)", "x = x * x.mean(-1, keepdims=True)",
)  # fmt: skip
SLICES = (
    "x = x[:, -{k}:]", "x = x[:, :{k}]", "x = x[:, :min({s}, {k})]", "x = jnp.concatenate([x, x[:, :{k}]], 1)",
    "x = x[:, max(0, {s} - {k}):]", "x = jnp.pad(x, ((0, 0), (0, -{s} % {m}), (0, 0)))", "x = x[:, ::{p}]",
    "x = x[:, :{s} // {p} * {p}].reshape(2, -1, {p}, 8).sum(2)", "x = x + jnp.ones(({k}, 8))[:{s}].sum(0)",
    "x = jax.lax.top_k(x.swapaxes(1, 2), min({k}, {s}))[0].swapaxes(1, 2)", "x = x[:, {p}:]",
    "x = x[:, {s} % {m}:]", "x = x.at[:, :{k}].add(1.0)", "x = jnp.exp(x)[:, -{k}:] + 1", "x = jnp.tile(x, (1, 1 + {s} // {k}, 1))",
    "x = jnp.pad(x, ((0, 0), (0, max(0, {k} - {s})), (0, 0)))", "x = x[:, jnp.arange(min({k}, {s}))]",
)  # fmt: skip


@st.composite
def phrases(draw: st.DrawFn, choices: tuple[str, ...], program: Program, name: str) -> str:
    """One phrase on a size; its numbers are kept."""
    phrase = draw(st.sampled_from(choices))
    deep = name == "L"
    k, j = (draw(st.sampled_from(DEEP if deep else WIDE if name == "d" else LONG)) for _ in range(2))
    m = draw(st.sampled_from(PERIODS if deep else MODULI))
    p, q = draw(st.sampled_from(PERIODS)), draw(st.integers(0, 3))
    other = draw(st.sampled_from([s for s in program.symbols if s != "L"] or ["8"]))
    program.numbers[name] |= {
        number for key, number in (("k", k), ("j", j), ("m", m), ("p", p)) if f"{{{key}}}" in phrase
    }
    return phrase.format(s=name, t=other, k=k, j=j, m=m, p=p, q=q, f=draw(st.sampled_from(SHARES)))


@st.composite
def said(draw: st.DrawFn, program: Program, choices: tuple[str, ...], name: str) -> str:
    """A phrase on a size where programs have it: in line, in a helper, in a property, in a module without jax."""
    kind = draw(st.sampled_from(("line",) * 4 + WHERE))
    phrase = draw(phrases(choices, program, name))
    if kind == "line":
        return phrase
    listed = ", ".join(program.symbols)
    if kind == "lambda":
        return f"(lambda {listed}: {phrase})({listed})"
    number = (program.text + program.plain).count(" it")
    body = f"    if {phrase}:\n        return {phrase}\n    return 1\n" if kind == "early" else f"    return {phrase}\n"
    if kind == "property":
        fields = "".join(f"    {symbol}: int\n" for symbol in program.symbols)
        own = "".join(f"        {symbol} = self.{symbol}\n" for symbol in program.symbols)
        program.text += (
            f"\n\n@dataclass\nclass Said{number}:\n{fields}\n    @property\n    def it(self):\n{own}    {body}"
        )
        return f"Said{number}({listed}).it"
    cached = "@functools.lru_cache\n" if kind == "cached" else ""
    made = f"\n\n{cached}def it{number}({listed}):\n{body}"
    if kind == "plain":
        program.plain = (program.plain or PLAIN_HEAD + DIVISIBLE) + made
        return f"SIZES.it{number}({listed})"
    program.text += made
    return f"it{number}({', '.join(f'{s}={s}' for s in program.symbols) if kind == 'named' else listed})"


@st.composite
def steps(draw: st.DrawFn, program: Program, sizes: tuple[str, ...]) -> list[str]:
    """Lines that keep the last axis: an effect under a condition, a width that is computed, a slice, a short loop."""
    name = draw(st.sampled_from(sizes))
    effect = draw(st.sampled_from(EFFECTS))
    kind = draw(st.sampled_from(("if", "if", "else", "choice", "width", "width", "slice", "while", "groups")))
    if kind == "slice" and "N" in program.symbols:
        return [draw(phrases(SLICES, program, "N"))]
    if kind in ("width", "slice"):
        return [f"x = dense(dense(x, {draw(said(program, VALUES, name))}), 8)"]
    if kind == "while":
        number = draw(phrases(("{k}",), program, name))
        return [f"s = {name}", f"while s > {number}:", "    s //= 2", f"    {effect}"]
    if kind == "groups":
        wide = draw(phrases(("min(32, 8 * {s})", "max({m}, {s})"), program, name))
        return [f"w = {wide}", "x = dense(norm(dense(x, w), min(w, 32)), 8)"]
    asked = draw(said(program, CONDITIONS, name))
    if kind == "choice":
        return [f"w = 24 if {asked} else 16", "x = dense(dense(x, w), 8)"]
    otherwise = ["else:", "    x = dense(x, 8)"] if draw(st.booleans()) else []
    return [f"if {asked}:", f"    {effect}", *otherwise]


@st.composite
def layers(draw: st.DrawFn, program: Program, sizes: tuple[str, ...]) -> list[str]:
    """A loop over the layers, some of which are others."""
    loop, step = draw(st.sampled_from(LOOPS))
    asked = draw(phrases(LAYERS, program, "L"))
    if draw(st.integers(0, 4)) == 4:
        asked = f"(lambda i, L: {asked})(i, L)"
    inner = draw(st.sampled_from((None, None, *sizes)))
    rest = [draw(st.sampled_from(EFFECTS))] if inner is None else draw(steps(program, sizes))
    always = ["x = dense(x, 8)"] if draw(st.booleans()) else []
    start = ["i = 0"] if step else []
    return [*start, loop, *(f"    {line}" for line in (*always, f"if {asked}:", *(f"    {r}" for r in rest), *step))]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A program of one to three symbols and one to three decisions."""
    api = draw(st.sampled_from(("linen", "linen", "function")))
    if api == "function":
        parameters, spec = (), draw(st.sampled_from(("float32[2,N,8]", "float32[2,N,d]")))
    else:
        parameters = draw(st.sampled_from((("d",), ("L",), ("d", "L"))))
        spec = draw(st.sampled_from(("float32[2,N,8]", "float32[2,9,8]")))
    inputs = tuple(name for name in ("N", "d") if name in spec)
    program = Program(api, parameters, spec, numbers={name: set() for name in (*inputs, *parameters)})
    program.text = HEAD + DIVISIBLE + (LINEN if api == "linen" else FUNCTION)
    sizes = tuple(name for name in program.symbols if name != "L")
    body: list[str] = []
    for _ in range(draw(st.integers(1, 2))):
        if "L" in parameters and (not sizes or draw(st.booleans())):
            body += draw(layers(program, sizes))
        else:
            body += draw(steps(program, sizes or parameters))
    if "L" in parameters and not program.numbers["L"]:
        body += draw(layers(program, sizes))
    if api == "linen":
        fields = "".join(f"    {name}: int\n" for name in parameters)
        start = [*(f"{name} = x.shape[1]" for name in inputs), *(f"{name} = self.{name}" for name in parameters)]
        head = f"\n\nclass Model(nn.Module):\n{fields}\n    @nn.compact\n    def __call__(self, x):\n"
        indent = " " * 8
    else:
        start = [f"{name} = x.shape[{1 + k}]" for k, name in enumerate(inputs)]
        start += ["x = dense(x, 8)"] if "d" in inputs else []
        head, indent = "\n\ndef program(x):\n", " " * 4
    if program.plain:
        program.text = "import SIZES\n" + program.text
    program.text += head + "".join(f"{indent}{line}\n" for line in (*start, *body, "return x"))
    return program


# -- where it is asked ---------------------------------------------------------------------------------------------
@st.composite
def points(draw: st.DrawFn, program: Program) -> dict[str, int]:
    """A point beside the numbers that a program compares its sizes with, far away, or anywhere."""
    return {name: draw(st.sampled_from(_values(name, numbers))) for name, numbers in program.numbers.items()}


def _values(name: str, numbers: set[int]) -> list[int]:
    most = DEEPEST if name == "L" else WIDEST if name == "d" else FURTHEST
    near = {v for number in numbers for v in (number - 1, number, number + 1, 2 * number, 2 * number + 1, number // 2)}
    pairs = {a * b for a in numbers for b in numbers} | {a + b for a in numbers for b in numbers}
    usual = {2, 5, 8, 13, 20, 48} if name == "L" else {2, 9, 64, 96, 100, 197, 224, 768, 1001, 4096, 13_000}
    return sorted(v for v in near | pairs | usual | {most} if 0 < v <= most)
