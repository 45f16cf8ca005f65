"""Modules and phases written into scopes come back from the names of operations."""

from __future__ import annotations

import jax
import pytest

from symcost.hlo import parse
from symcost.hlo.reading.scopes import mark, marked, module_of, phase_of


@pytest.mark.parametrize("path", ["", "Dense_0", "a/b_1/c"])
def test_a_scope_names_the_path_it_was_made_of(path: str) -> None:
    assert marked(mark(path)) == path
    assert module_of(f"jit(f)/{mark('outer')}/{mark(path)}/dot_general") == path


def test_of_merged_operations_the_first_one_names_the_module() -> None:
    assert module_of("jit(f)/~a~/add;jit(f)/~b~/mul") == "a"


def test_names_without_a_scope_name_no_module() -> None:
    assert module_of("jit(f)/Dense_0/dot_general") is None
    assert marked("Dense_0") is None


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("jit(f)/jvp(~a~)/dot_general", "forward"),
        ("jit(f)/transpose(jvp(~a~))/dot_general", "backward"),
        ("jit(f)/transpose(jvp(~a~))/rematted_computation/tanh", "recompute"),
        ("jit(f)/~a~/transpose", "forward"),
        ("jit(f)/~a~/add;jit(f)/transpose(jvp(~b~))/mul", "forward"),
    ],
)
def test_phases_are_read_from_the_transformations(name: str, phase: str) -> None:
    assert phase_of(name) == phase


def test_scopes_survive_lowering_and_the_optimisations_of_a_compiler() -> None:
    def f(x: jax.Array) -> jax.Array:
        with jax.named_scope(mark("some/module")):
            return jax.numpy.tanh(x @ x).sum()

    lowered = jax.jit(jax.grad(f)).lower(jax.ShapeDtypeStruct((8, 8), "float32"))
    for text in (lowered.compiler_ir("hlo").as_hlo_module().to_string(), lowered.compile().as_text()):
        names = [i.op_name for home in parse(text).computations.values() for i in home.instructions]
        assert {phase_of(n) for n in names if module_of(n) == "some/module"} == {"forward", "backward"}
