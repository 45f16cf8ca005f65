"""The schedule replayed: which temporaries are alive when most memory is needed."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from symcost.hlo import parse
from symcost.hlo.counting.heap import replay


def peak(*lines: str) -> int:
    return replay(parse("HloModule m\nENTRY main {\n" + "\n".join(f"  {line}" for line in lines) + "\n}")).peak


X = "x = f32[10]{0} parameter(0)"
W = "w = f32[10,10]{1,0} parameter(1)"
DOT = "lhs_contracting_dims={0}, rhs_contracting_dims={0}"


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        ([X, "ROOT y = f32[10]{0} negate(x)"], 0),  # arguments and results have places of their own
        ([X, "a = f32[10]{0} negate(x)", "ROOT y = f32[5]{0} slice(a), slice={[0:5]}"], 40),
        ([X, "a = f32[10]{0} negate(x)", "b = f32[10]{0} exponential(a)", "ROOT y = f32[5]{0} slice(b), slice={[0:5]}"], 40),
        ([X, W, f"a = f32[10]{{0}} dot(x, w), {DOT}", f"b = f32[10]{{0}} dot(a, w), {DOT}",
          "ROOT y = f32[5]{0} slice(b), slice={[0:5]}"], 80),
        ([X, "a = f32[10]{0} negate(x)", "v = f32[2,5]{1,0} bitcast(a)", "b = f32[4]{0} constant({1, 2, 3, 4})",
          "ROOT y = f32[5]{0} slice(v), slice={[0:1], [0:5]}"], 40),
        ([X, "a = f32[10]{0} negate(x)", "b = f32[10]{0} abs(x)", "c = (f32[10]{0}, f32[10]{0}) tuple(a, b)",
          "d = f32[10]{0} get-tuple-element(c), index=1", "ROOT y = f32[5]{0} slice(d), slice={[0:5]}"], 80),
    ],
)  # fmt: skip
def test_the_peak_is_what_is_alive_at_once(lines: list[str], size: int) -> None:
    assert peak(*lines) == size


def chain(x: Any, w: Any) -> Any:
    """Products whose results follow one another."""
    for _ in range(4):
        x = jnp.tanh(x @ w)
    return x.sum()


def looped(x: Any, w: Any) -> Any:
    """The same in a loop."""
    return jax.lax.fori_loop(0, 4, lambda _, c: jnp.tanh(c @ w), x).sum()


@pytest.mark.parametrize(("function", "most"), [(chain, 2), (looped, 3)])
def test_the_replay_of_a_compiled_program_is_near_the_compilers_own_figure(function: Any, most: int) -> None:
    """Not equal: a compiler also packs buffers. Between one matrix and a few."""
    matrix = jax.ShapeDtypeStruct((256, 256), "float32")
    compiled = jax.jit(function).lower(matrix, matrix).compile({"xla_cpu_experimental_ynn_fusion_type": ""})
    size = 4 * 256 * 256
    assert size <= replay(parse(compiled.as_text())).peak <= most * size
    assert compiled.memory_analysis().temp_size_in_bytes >= size
