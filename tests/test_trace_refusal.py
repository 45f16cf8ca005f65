"""What is said of models that cannot be traced: one line, their own words, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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

    line = r"\(test_trace_refusal\.py:\d+: raise ValueError\(\"no such layer\"\)\)"
    with pytest.raises(
        LiftError, match=rf"ValueError: no such layer {line}\) - it raised alike at n from \d+ to \d+, d"
    ):
        sc.trace(Broken(), "float32[n,d]")


def test_what_a_model_raises_at_all_sizes_is_told_at_once_with_its_line() -> None:
    tried = []

    def old(x: jax.Array, d: int = 3) -> Any:
        tried.append(x.shape)
        return jnp.clip(x, a_lower=0.0)  # type: ignore[call-arg]

    with pytest.raises(
        LiftError, match=r"^the model raised: TypeError: .*unexpected keyword argument 'a_lower' \(test_"
    ) as e:
        sc.trace_function(old, "float32[n,d]")
    assert str(e.value).endswith("mend the model, or install the version of the package that it was written for")
    assert len(set(tried)) == 1


class Configured(nn.Module):
    """A configuration without a default, whose fields it uses."""

    cfg: Any
    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.d * self.cfg.times)(x)


def test_a_configuration_that_was_taken_as_a_size_is_told() -> None:
    with pytest.raises(LiftError, match=r"no attribute 'times' .* what has no default is a size \(here cfg, d\): set"):
        sc.trace(Configured, "float32[n,c]")


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


@pytest.mark.parametrize(
    ("factory", "spec"),
    [
        pytest.param(lambda L: Deep(3, L, rngs=nnx.Rngs(0)), "float32[2,3]", id="in its depth"),
        pytest.param(Deep, "float32[n,d]", id="in all its sizes", marks=pytest.mark.campaign),
    ],
)
def test_a_bug_in_a_deep_model_is_reported_in_its_own_words_not_as_a_limit_of_ours(factory: Any, spec: str) -> None:
    with pytest.raises(LiftError, match=r"the model raised at all of .*TypeError: add got incompatible shapes"):
        sc.trace(factory, spec)


class Tied(nn.Module):
    """A residual around a projection: it runs only where its two widths are equal, and divide into heads."""

    width: int
    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Dense(self.width)(x)
        return x + nn.Dense(self.hidden)(x.reshape(len(x), 4, self.width // 4).reshape(len(x), -1))


@pytest.mark.parametrize("spec", ["float32[2,3]", pytest.param("float32[n,d]", marks=pytest.mark.campaign)])
def test_widths_that_have_to_be_equal_are_named(spec: str) -> None:
    with pytest.raises(LiftError, match=r"shapes.* - it works where width = hidden: use one symbol for both$"):
        sc.trace(Tied, spec)
    assert sc.trace(lambda w: Tied(w, w), spec).total().params.free_symbols


def picky(works: Callable[[int], bool]) -> Callable[[int], nn.Module]:
    """A constructor that takes some widths alone."""

    def factory(d: int) -> nn.Module:
        if not works(d):
            raise ValueError(f"no width {d}")
        return nn.Dense(d, use_bias=False)

    return factory


def test_a_constructor_that_takes_other_values_says_which_were_tried_and_works_with_its_own() -> None:
    factory = picky(lambda d: d % 35 == 0)
    with pytest.raises(
        LiftError, match=r"ValueError: no width \d+ \(.*\)\) - .*d from 2 to \d+: if it works at others, give"
    ):
        sc.trace(factory, "float32[n,3]")
    assert sc.trace(factory, "float32[n,3]", steps={"d": 35}).params == 3 * sc.symbols("d")[0]


def test_large_widths_that_a_constructor_takes_alone_are_found() -> None:
    costs = sc.trace(picky(lambda d: d >= 5000), "float32[n,3]")
    assert (costs.params, costs.domain.conditions()) == (3 * sc.symbols("d")[0], ["d >= 5000"])


@pytest.mark.parametrize(
    ("option", "values", "message"),
    [
        ("steps", {"features": 0}, "steps['features']=0 must be a positive integer"),
        ("steps", {"features": -8}, "steps['features']=-8 must be a positive integer"),
        ("at_least", {"n": -3}, "at_least['n']=-3 must be a positive integer"),
        ("samples", {"features": (0, 1, 2)}, "samples['features'] has 0: every value must be a positive integer"),
        ("samples", {"features": (2, 3.5, 4)}, "samples['features'] has 3.5: every value must be a positive integer"),
        ("axes", {"i": -1}, "axes['i']=-1 must be a positive integer"),
    ],
)
def test_values_that_no_size_has_are_refused(option: str, values: Any, message: str) -> None:
    with pytest.raises(SymcostError) as caught:
        sc.trace(nn.Dense, "float32[n,c]", **{option: values})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("base", [nn.Module, nnx.Module])
def test_a_base_class_is_no_model(base: Any) -> None:
    with pytest.raises(SymcostError, match=r"Module is the class that models derive from: name one of them"):
        sc.trace(base, "float32[n]")
