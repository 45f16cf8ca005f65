"""Models whose arrays grow with the sizes stop in time, and say which array; programs that turn with an order of sizes."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symcost as sc
from symcost.tracing.constants import Growth, Held, held, limit
from symcost.tracing.evidence.floats import tracked
from symcost.tracing.program import capture


class Relative(nn.Module):
    """Attention over patches of 16 with a table of relative positions: k^2 x k^2 indices in every layer."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        places = (x.shape[1] // 16) ** 2
        index = np.arange(places)[:, None] - np.arange(places)[None, :] + places
        table = self.param("table", nn.initializers.zeros, (2 * places + 1, 2))
        patches = nn.Conv(8, (16, 16), strides=(16, 16))(x).reshape(x.shape[0], -1, 8)
        return jnp.einsum("nld,lmh->nmdh", patches, table[index])


class Windows(nn.Module):
    """Four such layers."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return [Relative(name=f"layer_{number}")(x) for number in range(4)]


class Limited(nn.Module):
    """Raises where it is wide, its table being made."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Dense(self.d)(x) + jnp.asarray(np.ones((1, self.d), np.float32))
        if self.d > 40:
            raise ValueError("too wide")
        return x


def masked(x: Any) -> Any:
    return x + np.zeros((x.shape[0], x.shape[0]), np.float32)


def largest_traced(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> int:
    """Bytes of the arrays of the largest program that was traced."""
    from symcost.tracing.program import capture

    sizes = [0]

    def noted(closed: Any) -> tuple[Held, ...]:
        found = held(closed)
        sizes.append(sum(each.size for each in found))
        return found

    monkeypatch.setattr(capture, "held", noted)
    make()
    return max(sizes)


@pytest.mark.parametrize("given", ["1MiB", "64MiB", "2GB"])
def test_no_program_beyond_the_budget_is_traced(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMCOST_MEMORY", given)
    most = largest_traced(monkeypatch, lambda: sc.trace_function(masked, "float32[n,n]"))
    assert 0 < most <= limit()


@pytest.mark.parametrize("model", [Relative, pytest.param(Windows, marks=pytest.mark.campaign)])
def test_tables_of_indices_stay_small_by_default_and_the_form_is_right(
    model: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMCOST_MEMORY", raising=False)
    found: list[Any] = []
    most = largest_traced(monkeypatch, lambda: found.append(sc.trace(model(), "float32[n,r,r,3]")))
    assert most < 1 << 29
    fresh = sc.trace(model(), "float32[2,320,320,3]")
    assert [found[0].subs(n=2, r=320).total(each) for each in ("full", "xla")] == [
        fresh.total(each) for each in ("full", "xla")
    ]


def test_a_model_that_does_not_fit_names_the_array_its_module_and_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMCOST_MEMORY", "64 KiB")
    with pytest.raises(sc.SymcostError) as caught:
        sc.trace(Windows(), "float32[1,224,224,3]")
    said = str(caught.value)
    assert "\n" not in said
    assert "the arrays that it holds take 750.3 KiB, more than the 64.0 KiB of SYMCOST_MEMORY" in said
    assert "most is int32[196,196] in layer_0" in said
    assert "test_trace_constants.py:" in said
    assert said.startswith("the model is too large: ")
    assert said.endswith(" - give smaller values in samples={...}, or allow more in SYMCOST_MEMORY")


@pytest.mark.parametrize(("given", "right"), [("4GiB", 4 << 30), ("1.5 MB", 1_500_000), ("100", 100), (" 2kib ", 2048)])
def test_amounts_of_memory_are_read(given: str, right: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMCOST_MEMORY", given)
    assert limit() == right


@pytest.mark.parametrize("given", ["", "x", "4 lots", "-1", "0", "1e9999999", "nan", "4GiB2"])
def test_what_is_no_amount_of_memory_is_one_line(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMCOST_MEMORY", given)
    with pytest.raises(
        sc.SymcostError, match=r"SYMCOST_MEMORY=.* is no amount of memory: give bytes, as 4GiB or 500MB"
    ):
        sc.trace_function(masked, "float32[n,n]")


def test_growth_is_predicted_array_by_array() -> None:
    """A large array that stays and a small one that grows as the fourth power."""
    growth = Growth()
    for r in (10, 12):
        growth.add({"n": 3, "r": r}, (Held(10**7, "a", "", ""), Held(r**4, "b", "", "")))
    assert growth.problem({"n": 3, "r": 12}) is None
    assert "most is b" in str(growth.problem({"n": 3, "r": 10**5}))
    assert growth.problem({"n": 10**9, "r": 12}) is None


def test_what_grew_as_one_of_several_sizes_did_is_far_too_much_sooner() -> None:
    """Two points that differ in all: a table that grew exactly as d did is one of d, and no reason to refuse a point."""
    growth = Growth()
    for n, d in ((193, 168), (480, 384)):
        growth.add({"n": n, "d": d}, (Held(8200 * d, "a", "", ""),))
    assert growth.is_heavy({"n": 193, "d": 58_330})
    assert not growth.is_heavy({"n": 10**6, "d": 384})
    assert growth.problem({"n": 193, "d": 10**9}) is None


def test_arrays_inside_calls_are_seen_once() -> None:
    array = jnp.arange(100.0)
    closed = jax.make_jaxpr(lambda x: jax.jit(lambda y: y + array)(x) + array)(array)
    assert [each.what for each in held(closed)] == ["float32[100]"]


# -- an order of two sizes that decides which program it is ---------------------------------------------------------
@pytest.mark.campaign
def test_a_convolution_of_two_free_lengths_is_right_whichever_is_the_longer() -> None:
    costs = sc.trace_function(jnp.convolve, "float32[a]", "float32[b]")
    for a, b in ((3, 5), (20, 300), (7, 7), (5, 3), (300, 20), (9, 8)):
        fresh = sc.trace_function(jnp.convolve, f"float32[{a}]", f"float32[{b}]")
        assert costs.subs(a=a, b=b).total("full") == fresh.total("full")


@pytest.mark.parametrize("padding", [pytest.param("SAME", marks=pytest.mark.campaign), "VALID"])
def test_a_stride_that_is_a_symbol_lifts_or_says_what_changes(padding: str) -> None:
    said, costs = "", None
    try:
        costs = sc.trace(lambda s: nn.Conv(4, (3,), strides=(s,), padding=padding), "float32[n,l,3]")
    except sc.LiftError as problem:
        said = str(problem)
    if costs is None:
        assert "conv_general_dilated" in said
        assert "\n" not in said
        return
    point = {"n": 1600, "l": 900, "s": 130}
    fresh = sc.trace(nn.Conv(4, (3,), strides=(130,), padding=padding), "float32[1600,900,3]")
    assert costs.subs(**point).total("full") == fresh.total("full")


class Shares(nn.Module):
    """A table of a hundred floats that Python makes one by one, each of them of the width."""

    d: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        shares = [k / self.d for k in range(100)]
        return nn.Dense(self.d)(x) * shares[-1]


def test_sizes_in_more_floats_than_are_kept_are_plain_numbers_at_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise tables of positions made number by number, 1536 x d of them, took minutes to record."""
    monkeypatch.setattr(tracked, "MANY", 10)
    costs = sc.trace(lambda d: Shares(d), "float32[n,3]")
    width = costs.domain.evidence["d"]
    assert width.word == "bounded"
    assert "as a plain number (test_trace_constants.py" in width.why
    costs.subs(n=2, d=37, check=True)


def test_large_arrays_of_points_where_the_model_raises_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "WORTH_COLLECTING", 0)

    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, np.ndarray) and each.shape[1:] > (40,) for o in gc.get_objects()
                   if type(o) is dict for each in list(o.values()))  # fmt: skip

    before = alive()
    gc.freeze()  # what other tests left need not be looked through after each of the model's errors
    try:
        assert str(sc.trace(Limited, "float32[n,7]").domain).endswith("d <= 40")
    finally:
        gc.unfreeze()
    assert alive() == before


class Stack(nn.Module):
    """As many layers with a table of relative positions each as one asks for, as in BEiT."""

    L: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        return sum(Relative(name=f"layer_{number}")(x) for number in range(self.L))


@pytest.mark.campaign
def test_layers_with_tables_of_the_fourth_power_of_a_side_are_sampled_at_short_sides() -> None:
    costs = sc.trace(lambda L: Stack(L), "float32[n,16*k,16*k,3]", referee=False)
    assert max(point["k"] for point in costs.certificate.fitted) < 16
    for point in ({"n": 2, "k": 14, "L": 5}, {"n": 1, "k": 21, "L": 2}):
        costs.subs(check=True, **point)
