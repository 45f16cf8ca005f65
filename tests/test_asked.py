"""What models ask of their sizes: met where they raise at all that is tried first, and told no narrower than it is."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

import symcost as sc


def waves(width: int, grid: int) -> np.ndarray:
    """Positions on a grid, as MAE makes them: the sines of rows and columns side by side."""
    assert width % 2 == 0

    def axis(half: int) -> np.ndarray:
        assert half % 2 == 0
        return np.concatenate([np.outer(np.arange(grid), np.exp(-np.arange(half // 2) / half))] * 2, axis=1)

    rows, columns = (axis(width // 2) for _ in range(2))
    return np.concatenate([np.repeat(rows, grid, axis=0), np.tile(columns, (grid, 1))], axis=1).astype(np.float32)


class Asking(nn.Module):
    """Positions of widths in fours, twice; patches that fill the image: none of the first samples meets all of that."""

    d: int
    e: int
    p: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        assert x.shape[1] % self.p == 0
        y = nn.Conv(self.d, (self.p, self.p), (self.p, self.p), padding="VALID")(x)
        n, g = y.shape[:2]
        y = y.reshape(n, g * g, self.d) + waves(self.d, g)
        return nn.Dense(self.e)(y) + waves(self.e, g)


def test_conditions_that_a_model_raises_without_are_met_one_by_one() -> None:
    costs = sc.trace(lambda d, e, p: Asking(d, e, p), "float32[n,r,r,3]", referee=False)
    assert costs.domain is not None
    assert {each.word for each in costs.domain.evidence.values()} == {"proved"}
    for point in ({"n": 2, "r": 224, "p": 16, "d": 768, "e": 512}, {"n": 3, "r": 210, "p": 14, "d": 100, "e": 60}):
        costs.subs(check=True, **point)
    for point in ({"n": 2, "r": 225, "p": 16, "d": 768, "e": 512}, {"n": 2, "r": 224, "p": 16, "d": 768, "e": 510}):
        assert costs.domain.problem(point)


class HeadsApart(nn.Module):
    """Heads as so many arrays, put behind one another along the batch, as in the Set Transformer."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        q, k, v = (jnp.concatenate(jnp.split(nn.Dense(self.d)(x), self.H, axis=-1), axis=0) for _ in range(3))
        weights = jax.nn.softmax(q @ k.transpose(0, 2, 1), axis=-1)
        return jnp.concatenate(jnp.split(q + weights @ v, self.H, axis=0), axis=-1)


def test_a_width_that_heads_divide_asks_for_no_multiple_of_the_heads_that_were_tried() -> None:
    costs = sc.trace(lambda d, H: HeadsApart(d, H), "float32[n,N,c]", referee=False)
    assert costs.domain is not None
    assert sc.equal(costs.macs, sc.parse("n*(3*N*c*d + 2*N**2*d)"))
    assert not any(str(number) in text for text in costs.domain.conditions() for number in (3, 4, 5))
    for point in ({"n": 64, "N": 100, "c": 3, "d": 128, "H": 4}, {"n": 2, "N": 33, "c": 9, "d": 2050, "H": 5}):
        costs.subs(check=True, **point)
    assert costs.domain.problem({"n": 2, "N": 33, "c": 9, "d": 2050, "H": 4})


def test_numbers_of_two_sizes_are_put_in_another_order_in_as_many_rounds_as_their_product_asks() -> None:
    """As in PPO, whose steps and environments are one batch; jax sorts once up to 1,625."""

    def shuffled(x: jax.Array) -> jax.Array:
        order = jax.random.permutation(jax.random.key(0), x.shape[0] * x.shape[1])
        return jnp.take(x.reshape(-1, x.shape[2]), order, axis=0)

    costs = sc.trace_function(shuffled, "float32[T,E,c]", referee=False)
    assert costs.domain is not None
    assert costs.domain.evidence["T"].word == "guarded"
    for T, E in ((128, 8), (100, 96), (25, 65), (2, 813), (13, 125), (271, 6)):
        costs.subs(check=True, T=T, E=E, c=4)


def test_what_a_part_of_a_large_table_holds_is_known_as_that_of_a_small_one() -> None:
    """The position of MAE's class token is zero: nothing is left of its sum, however many the others are."""

    def first(table: np.ndarray) -> list[str]:
        costs = sc.trace_function(lambda x: x + jnp.asarray(table)[:, :1], f"float32[2,1,{table.shape[2]}]")
        return [row.op for row in costs.rows if row.source == "rule"]

    for width in (12, 50_000):  # beside which a table of 100 rows is not looked into as a whole
        table = np.zeros((1, 100, width), np.float32)
        table[:, 1:] = 1
        assert first(table) == []
        table[:, 0] = 2
        assert first(table) == ["add"]
