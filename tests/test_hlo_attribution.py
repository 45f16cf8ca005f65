"""Instructions whose names a compiler lost find their module: by parameter, by neighbour, by caller."""

from __future__ import annotations

import pytest

from symcost.hlo import analyse, parse
from symcost.hlo.explaining.attribution import attributed
from symcost.hlo.reading.scopes import module_of

NAMED = 'metadata={op_name="jit(f)/~near~/add"}'


def modules(text: str, parameters: tuple[str | None, ...]) -> dict[str, str | None]:
    """The module of every instruction by its name."""
    found = attributed(parse(text), parameters)
    return {i.name: module_of(i.op_name) for home in found.computations.values() for i in home.instructions}


def test_the_module_of_a_parameter_is_found_through_views_and_fusions() -> None:
    text = """HloModule m
fused {
  p = f32[4,4]{1,0} parameter(0)
  q = f32[4,4]{1,0} parameter(1)
  ROOT d = f32[4,4]{1,0} dot(p, q), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}
ENTRY main {
  x = f32[4,4]{1,0} parameter(0)
  k = f32[16]{0} parameter(1)
  b = f32[4,4]{1,0} bitcast(k)
  ROOT r = f32[4,4]{1,0} fusion(x, b), kind=kLoop, calls=fused
}"""
    found = modules(text, (None, "net/Dense_0"))
    assert (found["d"], found["r"], found["x"]) == ("net/Dense_0", "net/Dense_0", None)


def test_a_name_of_its_own_comes_first_and_a_parameter_before_a_neighbour() -> None:
    text = f"""HloModule m
ENTRY main {{
  x = f32[4]{{0}} parameter(0)
  k = f32[4]{{0}} parameter(1)
  n = f32[4]{{0}} add(x, x), {NAMED}
  o = f32[4]{{0}} multiply(n, n)
  ROOT w = f32[4]{{0}} multiply(o, k)
}}"""
    found = modules(text, (None, "owner"))
    assert (found["n"], found["o"], found["w"]) == ("near", "near", "owner")


def test_the_state_of_a_loop_is_what_it_was_entered_with() -> None:
    text = """HloModule m
body {
  s = (s32[], f32[4]{0}) parameter(0)
  i = s32[] get-tuple-element(s), index=0
  k = f32[4]{0} get-tuple-element(s), index=1
  e = f32[4]{0} exponential(k)
  ROOT t = (s32[], f32[4]{0}) tuple(i, e)
}
condition {
  c = (s32[], f32[4]{0}) parameter(0)
  j = s32[] get-tuple-element(c), index=0
  l = s32[] constant(3)
  ROOT o = pred[] compare(j, l), direction=LT
}
ENTRY main {
  x = f32[4]{0} parameter(0)
  z = s32[] constant(0)
  a = (s32[], f32[4]{0}) tuple(z, x)
  ROOT w = (s32[], f32[4]{0}) while(a), condition=condition, body=body
}"""
    assert modules(text, ("weights",))["e"] == "weights"


def test_functions_shared_by_their_calls_belong_to_each_call() -> None:
    text = """HloModule m
relu {
  p = f32[4]{0} parameter(0)
  ROOT r = f32[4]{0} maximum(p, p), metadata={op_name="max"}
}
ENTRY main {
  x = f32[4]{0} parameter(0)
  a = f32[4]{0} call(x), to_apply=relu, metadata={op_name="jit(f)/~one~/jit(relu)"}
  ROOT b = f32[4]{0} call(a), to_apply=relu, metadata={op_name="jit(f)/~two~/jit(relu)"}
}"""
    cost = analyse(attributed(parse(text), (None,)))
    assert {module_of(path): flops for path, (flops, _) in cost.by_path.items()} == {"one": 4, "two": 4}


@pytest.mark.parametrize("parameters", [(), (None,)])
def test_what_cannot_be_known_stays_unknown_and_counts_all_the_same(parameters: tuple[None, ...]) -> None:
    text = "HloModule m\nENTRY main {\n  x = f32[4]{0} parameter(0)\n  ROOT y = f32[4]{0} add(x, x)\n}"
    assert modules(text, parameters) == {"x": None, "y": None}
    assert analyse(attributed(parse(text), parameters)).flops == 4
