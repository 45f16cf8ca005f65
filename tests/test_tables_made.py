"""Tables of positions that models make number by number are made once for the same sizes, and change no number."""

from __future__ import annotations

import contextlib
import math
import random
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from effort import repeated

import symcost as sc
from symcost.tracing.constants import Growth, Held
from symcost.tracing.program.repeated.tables import KeptTables, makes_table

CALLS: list[int] = []
POSITIONS = 600


def waves(positions: int, dim: int) -> jax.Array:
    """As Marian, Pegasus and RoFormer make them."""
    table = np.array([[p / np.power(10000, 2 * (j // 2) / dim) for j in range(dim)] for p in range(positions)])
    half = dim // 2 + dim % 2
    out = np.zeros_like(table)
    out[:, 0:half] = np.sin(table[:, 0::2])
    out[:, half:] = np.cos(table[:, 1::2])
    return jnp.array(out)


def plain(positions: int, dim: int) -> np.ndarray:
    """The same as an array of numpy's."""
    return np.array([[math.sin(p / 10000 ** (j / dim)) for j in range(dim)] for p in range(positions)], np.float32)


def computed(positions: int, dim: int) -> jax.Array:
    """A table of which jax makes another one: operations of the program."""
    return jnp.sin(jnp.array([[p / (1 + j) for j in range(dim)] for p in range(positions)]))


def counted(positions: int, dim: int) -> np.ndarray:
    """One that writes down how often it is called."""
    CALLS.append(dim)
    return np.array([[p * j for j in range(dim)] for p in range(positions)])


def drawn(positions: int, dim: int) -> np.ndarray:
    """One that is another one each time."""
    return np.array([[random.random() for _ in range(dim)] for _ in range(positions)])


def own_noise(positions: int, dim: int) -> np.ndarray:
    """The same with numpy's."""
    return np.array([[p + j for j in range(dim)] for p in range(positions)]) * np.random.rand()


def scaled(positions: int) -> np.ndarray:
    """One that reads a number of its module's."""
    return np.array([[p * j for j in range(POSITIONS)] for p in range(positions)])


def short(dim: int) -> np.ndarray:
    """One loop."""
    return np.array([1 / 10000 ** (j / dim) for j in range(dim)])


class Model(nn.Module):
    """Layers over a table of positions."""

    d: int
    L: int
    make: Any

    def setup(self) -> None:
        """A table and layers."""
        self.table = globals()[self.make](POSITIONS, self.d)
        self.layers = [nn.Dense(self.d) for _ in range(self.L)]

    def __call__(self, x: jax.Array) -> jax.Array:
        """Positions are added, layers follow."""
        x = x + self.table[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return x


def test_what_makes_a_table_is_known_from_its_code() -> None:
    assert [makes_table(each) for each in (waves, plain, computed)] == [True] * 3  # what it returns is asked later
    assert not any(map(makes_table, (counted, drawn, own_noise, short)))


def test_tables_are_made_once_and_are_nobody_elses() -> None:
    tables = KeptTables()
    first, again = (tables.table(plain, (5, 4), {}) for _ in range(2))
    assert first is again is not None
    first.fresh()[:] = 0
    assert (again.fresh() == plain(5, 4)).all()
    assert tables.table(computed, (5, 4), {}) is None  # it is a part of the program
    assert tables.table(plain, (5, np.array(4)), {}) is None
    assert tables.table(plain, (5, -1.5), {}) is None  # it raises
    other = tables.table(waves, (5,), {"dim": 4})
    assert other is not None
    assert isinstance(other.fresh(), jax.Array)
    assert (other.fresh() == waves(5, 4)).all()


@pytest.mark.parametrize("make", ["plain", pytest.param("waves", marks=repeated("in plain"))])
def test_a_model_with_such_a_table_is_answered_beside_its_depth(make: str) -> None:
    costs = sc.trace(lambda d, L: Model(d, L, make), "float32[n,N,d]")
    assert not hasattr(globals()[make], "__wrapped__")  # the model's own functions are back
    assert costs.domain.evidence["d"].word == "bounded"
    assert costs.domain.evidence["L"].word != "bounded"
    costs.subs(n=2, N=33, d=48, L=9, check=True)
    fresh = sc.trace(Model(48, 9, make), "float32[2,33,48]")
    for convention in ("textbook", "full", "xla"):
        assert costs.subs(n=2, N=33, d=48, L=9).total(convention) == fresh.total(convention)


def test_a_number_of_the_module_may_be_another_one_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, sides = KeptTables(), []
    for width in (3, 4, 3):
        monkeypatch.setitem(globals(), "POSITIONS", width)
        made = tables.table(scaled, (2,), {})
        assert made is not None
        sides.append(made.fresh().shape)
    monkeypatch.setitem(globals(), "POSITIONS", [])
    assert tables.table(scaled, (2,), {}) is None
    assert sides == [(2, 3), (2, 4), (2, 3)]


def test_functions_are_back_after_a_refusal() -> None:
    with contextlib.suppress(sc.SymcostError):
        sc.trace(lambda d: Model(d, 1, "missing"), "float32[n,N,d]")
    assert not hasattr(waves, "__wrapped__")


def test_what_python_makes_is_too_much_sooner_and_is_not_held() -> None:
    growth = Growth()
    for d in (10, 20):
        growth.add({"d": d}, (Held(1000 * d, "float32", "", "", 8),))
    assert growth.is_heavy({"d": 40_000})
    assert not growth.is_heavy({"d": 10_000})
    assert growth.problem({"d": 10**12}) is None
