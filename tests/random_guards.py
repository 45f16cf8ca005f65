"""Random programs that decide by their sizes: thresholds, remainders, windows, roundings, layers that differ.

Each is the text of a module, written to a file and imported as a user's would be, so that its frames have lines.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from guard_phrases import (
    CONDITIONS,
    DEEP,
    DEEPEST,
    DIVISIBLE,
    EFFECTS,
    FACTORS,
    FUNCTION,
    FURTHEST,
    HEAD,
    IN_LAYERS,
    KEPT,
    LAYERS,
    LESS,
    LINEN,
    LONG,
    LOOPS,
    MODULI,
    NNX_HEAD,
    PERIODS,
    PLAIN_EFFECTS,
    PLAIN_HEAD,
    SHARES,
    SLICES,
    VALUES,
    WHERE,
    WIDE,
    WIDEST,
)
from hypothesis import strategies as st

MODULES = {"setup": ("nn.Module", "nn.Dense({1})"), "nnx": ("nnx.Module", "nnx.Linear({0}, {1}, rngs=rngs)")}
"""What a model whose layers are made before it is called is, and how it makes a product of one width and another."""
LEAST = 6
"""Values of a symbol that no program names, at most."""


@dataclass
class Program:
    """The text of a program, its input, and the numbers that it compares each of its symbols with."""

    api: str
    parameters: tuple[str, ...]
    spec: str
    mode: str = "forward"
    pieces: int = 4
    """Of how many pieces its form may be."""
    text: str = ""
    plain: str = ""
    """The text of a module beside it, which does not use jax."""
    numbers: dict[str, set[int]] = field(default_factory=dict)

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols: sizes of the input, then parameters."""
        return tuple(self.numbers)

    def __repr__(self) -> str:
        return f"{self.api} {self.mode} {self.spec} in {self.pieces} pieces\n{self.plain}{self.text}"

    def written(self, folder: Path, name: str) -> Callable[..., Any]:
        """The factory of the model, or the function, imported from files in a folder."""
        if self.plain:
            _imported(folder, f"{name}_sizes", self.plain)
        module = _imported(folder, name, self.text.replace("SIZES", f"{name}_sizes"))
        return getattr(module, {"function": "program", "nnx": "make"}.get(self.api, "Model"))


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
@st.composite
def phrases(draw: st.DrawFn, choices: tuple[str, ...], program: Program, name: str) -> str:
    """One phrase on a size; its numbers are kept."""
    phrase = draw(st.sampled_from(choices))
    deep = name == "L"
    pool = {"L": DEEP, "d": WIDE, "H": FACTORS, "w": FACTORS}.get(name, LONG)
    k, j = (draw(st.sampled_from(pool)) for _ in range(2))
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
    if kind in ("property", "kept"):
        fields = "".join(f"    {symbol}: int\n" for symbol in program.symbols)
        own = "".join(f"        {symbol} = self.{symbol}\n" for symbol in program.symbols)
        kept = "functools.cached_property" if kind == "kept" else "property"
        program.text += (
            f"\n\n@dataclass\nclass Said{number}:\n{fields}\n    @{kept}\n    def it(self):\n{own}    {body}"
        )
        return f"Said{number}({listed}).it"
    cached = "@functools.lru_cache\n" if kind == "cached" else ""
    made = f"\n\n{cached}def it{number}({listed}):\n{body}"
    if kind == "plain":
        program.plain = (program.plain or PLAIN_HEAD + DIVISIBLE) + made
        return f"SIZES.it{number}({listed})"
    program.text += made
    return f"it{number}({', '.join(f'{s}={s}' for s in program.symbols) if kind == 'named' else listed})"


# -- lines ---------------------------------------------------------------------------------------------------------
@st.composite
def steps(draw: st.DrawFn, program: Program, sizes: tuple[str, ...]) -> list[str]:
    """Lines that keep the last axis: an effect under a condition, a width that is computed, a slice, a short loop."""
    name = draw(st.sampled_from(sizes))
    effect = draw(st.sampled_from(EFFECTS))
    kinds = ("if", "if", "else", "choice", "width", "width", "slice", "while", "groups", "nested", "tried", "table")
    kind = draw(st.sampled_from(kinds))
    if kind == "slice" and "N" in program.symbols:
        return [draw(phrases(SLICES, program, "N"))]
    if kind in ("width", "slice"):
        return [f"x = dense(dense(x, {draw(said(program, VALUES, name))}), 8)"]
    if kind == "while":
        number = draw(phrases(("{k}",), program, name))
        less = draw(st.sampled_from(LESS))
        return [f"s = {name}", f"while s > {number}:", f"    {less}", f"    {effect}"]
    if kind == "groups":
        wide = draw(phrases(("min(32, 8 * {s})", "max({m}, {s})", "8 * {s}"), program, name))
        groups = draw(phrases(("min(w, 32)", "math.gcd(w, 32)", "math.gcd(w, {m})"), program, name))
        return [f"w = {wide}", f"x = dense(norm(dense(x, w), {groups}), 8)"]
    asked = draw(said(program, CONDITIONS, name))
    if kind == "nested":
        inner, beside = draw(phrases(CONDITIONS, program, name)), draw(st.sampled_from(EFFECTS))
        return [f"if {asked}:", f"    if {inner}:", f"        {effect}", "    else:", f"        {beside}"]
    if kind == "tried":
        return ["try:", f"    assert {asked}", f"    w = {draw(phrases(VALUES, program, name))}", "except AssertionError:",
                "    w = 12", "x = dense(dense(x, w), 8)"]  # fmt: skip
    if kind == "table":
        return [f"widths = {{True: 24, False: {draw(phrases(('{m}', 'min({k}, {s})'), program, name))}}}",
                f"x = dense(dense(x, widths[bool({asked})]), 8)"]  # fmt: skip
    if kind == "choice":
        return [f"w = 24 if {asked} else 16", "x = dense(dense(x, w), 8)"]
    otherwise = ["else:", "    x = dense(x, 8)"] if draw(st.booleans()) else []
    return [f"if {asked}:", f"    {effect}", *otherwise]


@st.composite
def divided(draw: st.DrawFn, program: Program, factor: str) -> list[str]:
    """Lines that divide a size by a parameter: heads of a width, windows of a length."""
    program.numbers[factor] |= {draw(st.sampled_from(FACTORS))}
    if factor == "w":
        return draw(st.sampled_from((
            ["x = x.reshape(2, N // w, w, 8).mean(2)"],
            ["x = jnp.pad(x, ((0, 0), (0, -N % w), (0, 0))).reshape(2, -1, w, 8).max(2)"],
            ["x = jnp.exp(x[:, : N // w * w].reshape(2, N // w, w, 8)).reshape(2, -1, 8)"],
        )))  # fmt: skip
    return draw(st.sampled_from((
        ["assert d % H == 0", "x = dense(dense(x, d).reshape(*x.shape[:-1], H, d // H).sum(-2), 8)"],
        ["h = min(H, max(1, d // 64))", "x = dense(dense(x, h * 64).reshape(*x.shape[:-1], h, 64).sum(-1), 8)"],
        ["h = math.gcd(H, 8)", "x = dense(dense(x, d // h * h).reshape(*x.shape[:-1], h, d // h).sum(-1), 8)"],
    )))  # fmt: skip


@st.composite
def layers(draw: st.DrawFn, program: Program, sizes: tuple[str, ...]) -> list[str]:
    """A loop over the layers, some of which are others."""
    loop, step = draw(st.sampled_from(LOOPS))
    asked = draw(phrases(LAYERS, program, "L"))
    if draw(st.integers(0, 4)) == 4:
        asked = f"(lambda i, L: {asked})(i, L)"
    inner = draw(st.sampled_from((None, None, *sizes)))
    rest = [draw(st.sampled_from(IN_LAYERS))] if inner is None else draw(steps(program, sizes))
    always = ["x = dense(x, 8)"] if draw(st.booleans()) else []
    left = (
        [f"if {draw(phrases(('i == {k}', 'i > {k}'), program, 'L'))}:", "    break"]
        if draw(st.integers(0, 7)) == 7
        else []
    )
    start = ["i = 0"] if step else []
    listed = draw(st.sampled_from((None,) * 4 + KEPT))
    if listed is not None:
        start, asked = [*start, listed.format(asked)], "kinds[i]"
    lines = (*always, f"if {asked}:", *(f"    {r}" for r in rest), *left, *step)
    return [*start, loop, *(f"    {line}" for line in lines)]


# -- programs ------------------------------------------------------------------------------------------------------
@st.composite
def programs(draw: st.DrawFn, api: str, small: bool = False) -> Program:
    """A program of one to three symbols and one to three decisions; a small one has one of each, and one piece."""
    program = draw(begun_small(api) if small else begun(api))
    draw(made_first(program) if api in MODULES else at_once(program, 1 if small else 2))
    if program.plain:
        program.text = "import SIZES\n" + program.text
    return program


@st.composite
def begun(draw: st.DrawFn, api: str) -> Program:
    """A program without its lines: its symbols, its mode, of how many pieces its form may be."""
    if api == "function":
        parameters, spec = (), draw(st.sampled_from(("float32[2,N,8]", "float32[2,N,d]")))
    else:
        some = (("d",), ("L",), ("d", "L"), ("d", "H"), ("w",)) if api == "linen" else (("d",), ("L",), ("d", "L"))
        parameters = draw(st.sampled_from(some))
        specs = ("float32[2,N,8]", "float32[2,9,8]")
        spec = specs[0] if "w" in parameters else draw(st.sampled_from(specs))
    mode = "forward" if api == "function" else draw(st.sampled_from(("forward", "forward", "train")))
    inputs = tuple(name for name in ("N", "d") if name in spec)
    pieces = draw(st.sampled_from((1, 2, 4)))
    return Program(api, parameters, spec, mode, pieces, numbers={name: set() for name in (*inputs, *parameters)})


@st.composite
def begun_small(draw: st.DrawFn, api: str) -> Program:
    """The same of a program whose form is found in a fraction of a second."""
    name = "N" if api == "function" else draw(st.sampled_from(("d", "d", "L")))
    spec = "float32[2,N,8]" if name == "N" else "float32[2,9,8]"
    return Program(api, () if name == "N" else (name,), spec, pieces=1, numbers={name: set()})


@st.composite
def at_once(draw: st.DrawFn, program: Program, most: int = 2) -> None:
    """The text of a function, or of a module that makes its layers as it is called."""
    api, parameters = program.api, program.parameters
    inputs = tuple(name for name in program.symbols if name not in parameters)
    program.text = HEAD + DIVISIBLE + (LINEN if api == "linen" else FUNCTION)
    sizes = tuple(name for name in program.symbols if name not in ("L", "H", "w"))
    body: list[str] = []
    for factor in ("H", "w"):
        body += draw(divided(program, factor)) if factor in parameters else []
    for _ in range(draw(st.integers(1, 1 if body else most))):
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
    program.text += head + "".join(f"{indent}{line}\n" for line in (*start, *body, "return x"))


@st.composite
def made_first(draw: st.DrawFn, program: Program) -> None:
    """The text of a module that makes its layers before it is called, with ``setup`` or as an nnx module."""
    base, product = MODULES[program.api]
    listed = ", ".join(program.parameters)
    program.text = NNX_HEAD + DIVISIBLE
    inputs = tuple(name for name in program.symbols if name not in program.parameters)
    deep = "L" in program.parameters
    if deep and (program.parameters == ("L",) or draw(st.booleans())):
        wide = f"24 if {draw(phrases(LAYERS, program, 'L'))} else 16"
    else:
        wide = draw(said(program, VALUES, "d"))
    up, down = product.format("8", "w"), product.format("w", "8")
    kept = [f"w = {wide}", f"ups.append({up})", f"downs.append({down})"]
    if "d" in program.parameters and draw(st.booleans()):
        kept.insert(1, f"w = 2 * w if {draw(said(program, CONDITIONS, 'd'))} else w")
    of_list = "nnx.List" if program.api == "nnx" else ""
    made = ["ups, downs = [], []", f"for i in range({'L' if deep else 2}):", *(f"    {line}" for line in kept),
            f"self.ups, self.downs = {of_list}(ups), {of_list}(downs)"]  # fmt: skip
    effect, between = (draw(st.sampled_from(PLAIN_EFFECTS)) for _ in range(2))
    asked = [f"if {draw(said(program, CONDITIONS, 'N'))}:", f"    {between}"] if inputs else []
    asked += [draw(phrases(SLICES, program, "N"))] if inputs and draw(st.booleans()) else []
    within = [f"    if {draw(phrases(LAYERS, program, 'L'))}:", f"        {effect}"] if deep else [f"    {effect}"]
    fields = [f"{name} = self.{name}" for name in program.parameters]
    called = [*(f"{name} = x.shape[1]" for name in inputs), *fields, *asked,
              "for i, (up, down) in enumerate(zip(self.ups, self.downs)):", "    x = down(nn.relu(up(x)))", *within,
              "return x"]  # fmt: skip
    if program.api == "nnx":
        made = [*(f"self.{name} = {name}" for name in program.parameters), *made]
        begin = f"    def __init__(self, {listed}, rngs):\n"
        end = f"\n\ndef make({listed}):\n    return Model({listed}, nnx.Rngs(0))\n"
    else:
        made = [*fields, *made]
        begin = "".join(f"    {name}: int\n" for name in program.parameters) + "\n    def setup(self):\n"
        end = ""
    indent = " " * 8
    program.text += f"\n\nclass Model({base}):\n{begin}" + "".join(f"{indent}{line}\n" for line in made)
    program.text += "\n    def __call__(self, x):\n" + "".join(f"{indent}{line}\n" for line in called) + end


# -- where it is asked ---------------------------------------------------------------------------------------------
def telling(program: Program, most: int) -> list[dict[str, int]]:
    """Points at and on both sides of each number that a program compares its sizes with, and far ones: so many at most."""
    chance = random.Random(program.text)
    pools = {name: _values(name, numbers) for name, numbers in program.numbers.items()}
    near = [
        {**{other: chance.choice(pool) for other, pool in pools.items()}, name: number + beside}
        for name, numbers in program.numbers.items()
        for number in sorted(numbers)
        for beside in (-1, 0, 1)
        if 0 < number + beside <= _most(name)
    ]
    anywhere = [{name: chance.choice(pool) for name, pool in pools.items()} for _ in range(LEAST)]
    far = [{name: chance.choice(pool[-4:]) for name, pool in pools.items()} for _ in range(2)]
    chance.shuffle(near)
    return list({tuple(point.items()): point for point in (*far, *near, *anywhere)}.values())[:most]


def _most(name: str) -> int:
    return {"L": DEEPEST, "d": WIDEST, "H": 16, "w": 256}.get(name, FURTHEST)


def _values(name: str, numbers: set[int]) -> list[int]:
    near = {v for number in numbers for v in (number - 1, number, number + 1, 2 * number, 2 * number + 1, number // 2)}
    pairs = {a * b for a in numbers for b in numbers} | {a + b for a in numbers for b in numbers}
    usual = {"L": {2, 5, 8, 13, 20, 33}, "H": {1, 2, 4, 8}, "w": {2, 7, 8, 16}}
    wide = {2, 9, 64, 96, 100, 197, 224, 768, 1001, 4096, 13_000}
    most = _most(name)
    return sorted(v for v in near | pairs | usual.get(name, wide) | {most} if 0 < v <= most)
