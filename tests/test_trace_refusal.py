"""What is said of models that cannot be traced: one line, their own words, and what to do."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import symcost as sc
from symcost.errors import LiftError, SymcostError, TraceError


def test_a_bug_in_the_model_is_reported_with_its_own_words() -> None:
    class Broken(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            raise ValueError("no such layer")

    with pytest.raises(LiftError, match=r"ValueError: no such layer.*whatever the values"):
        sc.trace(Broken(), "float32[n,d]")


def test_a_model_that_reads_the_values_of_arrays_says_so() -> None:
    with pytest.raises(LiftError, match=r"jax\.lax\.cond"):
        sc.trace_function(lambda x: x if x.sum() > 0 else -x, "float32[n]")


@pytest.mark.parametrize("spec", ["__import__('os')", "float32[n", "float33[n]", "float32[n,-1]", "float32[0]"])
def test_a_bad_spec_is_refused(spec: str) -> None:
    with pytest.raises(SymcostError):
        sc.trace_function(jnp.sin, spec)


def test_errors_of_the_model_are_one_line() -> None:
    def bad(x: jax.Array) -> jax.Array:
        raise TypeError("first line\nsecond line")

    with pytest.raises((LiftError, TraceError)) as caught:
        sc.trace_function(bad, "float32[n]")
    assert "\n" not in str(caught.value)


class Deep(nnx.Module):
    """``L`` layers, and a bug after them."""

    def __init__(self, d: int, L: int, *, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([nnx.Linear(d, d, rngs=rngs) for _ in range(L)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = layer(x)
        return x + jnp.zeros((x.shape[0], x.shape[1] + 1))


def test_a_bug_in_a_deep_model_is_reported_in_its_own_words_not_as_a_limit_of_ours() -> None:
    with pytest.raises(LiftError, match=r"the model raised at all of .*TypeError: add got incompatible shapes"):
        sc.trace(Deep, "float32[n,d]")


class Tied(nn.Module):
    """A residual around a projection: it runs only where its two widths are equal, and divide into heads."""

    width: int
    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.width)(x)
        return x + nn.Dense(self.hidden)(x.reshape(len(x), 4, self.width // 4).reshape(len(x), -1))


def test_widths_that_have_to_be_equal_are_named() -> None:
    with pytest.raises(LiftError, match=r"shapes.* - it works where width = hidden: use one symbol for both$"):
        sc.trace(Tied, "float32[n,d]")
    assert sc.trace(lambda w: Tied(w, w), "float32[n,d]").total().params.free_symbols
