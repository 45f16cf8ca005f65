"""Reading HLO text: every printed form gives the same module; cut or foreign text gives one clear line."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jaxlib import _hlo  # pyright: ignore[reportAttributeAccessIssue]

from symcost.hlo import HloError, WindowDim, analyse, parse, parse_shape
from symcost.hlo.reading.text import attributes, closing, split_top

ROOT = Path(__file__).resolve().parents[1]


def network(x: jax.Array, k: jax.Array, n: jax.Array) -> Any:
    """Every way of calling a computation: call, while, conditional, reduce, sort, scatter, custom call."""
    dims = ("NHWC", "HWIO", "NHWC")
    y = jax.nn.relu(lax.conv_general_dilated(x, k, (2, 1), ((1, 2), (0, 3)), (1, 3), (1, 2), dims, 2))
    y = lax.reduce_window(y, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME").sum((1, 2))
    y = lax.fori_loop(0, 7, lambda i, c: c * 2 + n[i], y)
    z = lax.cond(y.sum() > 0, jnp.sin, lambda v: v + 1, y)
    noise = jax.random.uniform(jax.random.key(0), (10,))
    return z, lax.sort((y, z), num_keys=1), y.at[0].add(1.0), noise, jnp.arange(9)


@lru_cache
def forms() -> dict[str, str]:
    specs = [jax.ShapeDtypeStruct(s, jnp.float32) for s in ((2, 9, 9, 4), (3, 3, 2, 6), (7,))]
    lowered = jax.jit(network).lower(*specs)
    hlo: Any = lowered.compiler_ir("hlo")
    module, options = hlo.as_hlo_module(), _hlo.HloPrintOptions
    return {
        "short": hlo.as_hlo_text(),
        "large constants": hlo.as_hlo_text(True),
        "default": module.to_string(),
        "long operands": module.to_string(options()),
        "canonical": module.to_string(options.canonical()),
        "optimised": lowered.compile().as_text() or "",
    }


@pytest.mark.parametrize("form", ["large constants", "default", "long operands", "canonical"])
def test_every_printed_form_of_a_module_counts_the_same(form: str) -> None:
    reference, ours = analyse(forms()["short"], trips=True), analyse(forms()[form], trips=True)
    assert (ours.flops, ours.transcendentals, ours.float32) == (
        reference.flops, reference.transcendentals, reference.float32,
    )  # fmt: skip
    assert ours.by_op == reference.by_op


@pytest.mark.parametrize("form", ["short", "default"])
def test_instruction_fields_of_a_convolution(form: str) -> None:
    module = parse(forms()[form])
    (conv,) = (i for i in module.entry.instructions if i.opcode == "convolution")
    assert conv.window == (WindowDim(3, 2, 1, 2, 1, 1), WindowDim(3, 1, 0, 3, 3, 2))
    labels = conv.dim_labels
    assert (labels.lhs, labels.rhs, labels.out) == ("b01f", "01io", "b01f")
    assert [labels.at("rhs", label) for label in (0, 1, "i", "o")] == [0, 1, 2, 3]
    assert (conv.feature_group_count, conv.batch_group_count) == (2, 1)
    assert [module.entry.by_name[name].opcode for name in conv.operands] == ["parameter", "parameter"]
    assert conv.op_name == ("" if form == "short" else "jit(network)/conv_general_dilated")


@pytest.mark.parametrize("form", ["short", "default", "canonical"])
def test_called_computations_and_attributes_are_found(form: str) -> None:
    module = parse(forms()[form])
    everything = [i for c in module.computations.values() for i in c.instructions]
    loop = next(i for i in everything if i.opcode == "while")
    assert [module.computations[name].root.opcode for name in loop.called] == ["tuple", "compare"]
    assert loop.shape.is_tuple
    assert loop.shape.parts[0].dtype == "s32"
    cond = next(i for i in everything if i.opcode == "conditional")
    assert sorted(module.computations[name].root.opcode for name in cond.called) == ["add", "sine"]
    reduce = next(i for i in everything if i.opcode == "reduce")
    assert reduce.integers("dimensions") == (1, 2)
    assert {i.literal for i in everything if i.opcode == "constant"} >= {"-inf", "7", None}
    assert module.name == "jit_network"


def test_optimised_text_gives_trip_count_and_backend_config() -> None:
    module = parse(forms()["optimised"])
    loops = [i for c in module.computations.values() for i in c.instructions if i.opcode == "while"]
    assert {loop.known_trip_count for loop in loops} == {7, 5}
    assert '"known_trip_count":{"n":"7"}' in "".join(loop.backend_config for loop in loops)


def test_text_of_other_compilers_is_read() -> None:
    text = """HloModule m, is_scheduled=true

FileNames
1 "/a/{b}.py"

%body (p: f32[8,128]) -> f32[8,128] {
  %p = f32[8,128]{1,0:T(8,128)S(1)} parameter(0)
  ROOT %t = f32[8,128]{1,0:T(8,128)S(1)} tanh(f32[8,128]{1,0:T(8,128)S(1)} %p),
 metadata={op_name="f/\\"q\\"" line=3}
}, execution_thread="host"

ENTRY %main (a: f32[8,128], b: (f32[2], s32[])) -> (f32[8,128], f32[8,128]) {
  %a = f32[8,128]{1,0:T(8,128)} parameter(0), sharding={devices=[2,1]<=[2]}
  %b = (f32[2]{0:T(256)}, /*index=1*/s32[]) parameter(1)
  %c = f32[2,2]{1,0} constant({ { 1, 2 },
    { 3, 4 } })
  %k = (f32[8,128]{1,0}, u8[0]{0}) custom-call(%a), custom_call_target="__cudnn$conv",
 control-predecessors={%c, %b},
 backend_config={"s":"x, body=%no","v":[1,{"w":"}"}]}
  ROOT %f = f32[8,128]{1,0} fusion(%a), kind=kLoop, calls=%body
}
""".replace(",\n ", ", ")
    module = parse(text)
    call = module.entry.by_name["k"]
    assert (call.custom_call_target, call.called) == ("__cudnn$conv", ())
    assert call.backend_config == '{"s":"x, body=%no","v":[1,{"w":"}"}]}'
    assert call.control_predecessors == ("c", "b")
    assert module.computations["body"].root.op_name == 'f/"q"'
    assert module.computations["body"].root.shape.layout == "{1,0:T(8,128)S(1)}"
    cost = analyse(text)
    assert (cost.transcendentals, cost.by_path, cost.unknown) == (
        1024,
        {'f/"q"': (0, 1024)},
        ("__cudnn$conv",),
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no ENTRY computation: give the whole module"),
        ("HloModule m\nbody {\n ROOT x = f32[] parameter(0)\n}\n", "no ENTRY computation"),
        ("HloModule m\nENTRY e {\n x = f32[2] parameter(0)\n", "the text ends inside computation 'e'"),
        ("HloModule m\nENTRY e {\n}\n", "computation 'e' is empty"),
        ("HloModule m\nENTRY e {\n x = f32[2] constant({1,\n", "the text ends inside instruction 'x' of 'e'"),
        ("HloModule m\nENTRY e {\n x = f32[2] para", "line 3: 'x' has no shape and opcode: .* is it cut off"),
        ("HloModule m\nENTRY e {\n so what\n}", r"line 3 is not an HLO instruction: 'so what'; expected"),
        ("HloModule m\nENTRY e {\n ROOT x = f32[2] add(y, y)\n}", "operand 'y' of 'x' is not defined"),
        (
            "HloModule m\nENTRY e {\n ROOT x = f32[2] call(), to_apply=f\n}",
            "computation 'f' called by 'x' is not",
        ),
        (
            "HloModule m\nENTRY e {\n ROOT x = f32[?] parameter(0)\n}",
            "is not a number: lower at concrete sizes",
        ),
        ("HloModule m\nENTRY e {\n ROOT x = 2 parameter(0)\n}", "shape '2' is not of the form"),
        (
            "HloModule m\nENTRY e {\n ROOT x = f32[-4] parameter(0)\n}",
            r"shape 'f32\[-4\]' has a size that is not a number",
        ),
        (
            'HloModule m\nENTRY e {\n ROOT x = f32[4] parameter(0), metadata={op_name="a}\n}',
            "a string of 'x' is not closed",
        ),
        ("HloModule m\nENTRY e {\n ROOT x = f32[] call(), to_apply=e\n}", "computation 'e' calls itself"),
        (
            f"HloModule m\nENTRY e {{\n ROOT x = {'(' * 3000}f32[]{')' * 3000} parameter(0)\n}}",
            "nests tuples .* too deeply",
        ),
    ],
)
def test_unreadable_text_is_one_clear_line(text: str, error: str) -> None:
    with pytest.raises(HloError, match=error) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["short", "canonical", "optimised"])
def test_text_cut_anywhere_is_an_error_never_a_smaller_count(form: str) -> None:
    text = forms()[form].rstrip()
    for end in range(0, len(text), max(1, len(text) // 60)):
        with pytest.raises(HloError):
            parse(text[:end])


def test_scanners_respect_strings_and_brackets() -> None:
    assert split_top("") == []
    assert split_top('a="x,)", b={c, d}, e') == ['a="x,)"', "b={c, d}", "e"]
    assert attributes(', a={k="[,"}, b=c->d')["b"] == "c->d"
    assert closing("f(a", 1) == -1


def test_shapes_know_their_elements_and_leaves() -> None:
    shape = parse_shape("(f32[2,3]{1,0}, (token[], s8[]), bf16[0,4])")
    assert [leaf.elements for leaf in shape.leaves()] == [6, 1, 0]
    with pytest.raises(HloError, match="is a tuple, an array was needed"):
        _ = shape.elements


def test_importing_hlo_does_not_import_jax() -> None:
    heavy = "{'jax', 'jaxlib', 'flax'} & {name.split('.')[0] for name in sys.modules}"
    code = f"import sys, symcost.hlo; print(sorted({heavy}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name", ["counting.analyse", "reading.parse", "reading.shapes", "reading.text", "counting.windows"]
)
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"symcost.hlo.{name}"))
    assert result.attempted
    assert not result.failed


def test_elements_of_tuples_that_are_named_in_place_are_instructions() -> None:
    """jaxlib 0.12 writes ``p#1`` for what ``get-tuple-element(p), index=1`` was."""
    text = """HloModule m
ENTRY main {
  p = (f32[2]{0}, (f32[3]{0}, f32[4]{0})) parameter(0)
  ROOT sum = f32[4]{0} add(p#1#1, p#1#1)
}"""
    made = {i.name: i for i in parse(text).entry.instructions}
    assert [(name, i.opcode, str(i.shape)) for name, i in made.items() if "#" in name] == [
        ("p#1", "get-tuple-element", "(f32[3], f32[4])"), ("p#1#1", "get-tuple-element", "f32[4]")
    ]  # fmt: skip
    assert (made["p#1#1"].operands, made["p#1#1"].integers("index")) == (("p#1",), (1,))
