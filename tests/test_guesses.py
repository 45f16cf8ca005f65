"""Variables at a new point, guessed from known ones: right where they are used, and made anew where they are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import symcost as sc
from symcost.tracing.evidence import seen
from symcost.tracing.evidence.record import Recording
from symcost.tracing.program.capture import PointError, traced
from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.guesses import Guesses
from symcost.tracing.program.modules.linen import Initialisers, LinenProgram
from symcost.tracing.program.repeated.content import WithKey
from symcost.tracing.sampling import known

POINTS = ({"d": 8, "H": 2}, {"d": 12, "H": 2}, {"d": 8, "H": 4}, {"d": 24, "H": 4}, {"d": 48, "H": 6}, {"d": 7, "H": 1})


def array(*shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


@pytest.mark.parametrize(
    "size",
    [
        lambda d, H: 5,
        lambda d, H: d,
        lambda d, H: 3 * d + 1,
        lambda d, H: d * H,
        lambda d, H: d // H,
        lambda d, H: 2 * H,
    ],
    ids=["constant", "width", "line", "product", "part", "heads"],
)
def test_a_dimension_is_guessed_from_points_beside_one_another(size: Callable[..., int]) -> None:
    known = Guesses()
    for point in POINTS[:3]:
        known.add(point, {"w": array(size(**point), 3)})
    assert known.at(POINTS[3]) == {"w": array(size(**POINTS[3]), 3)}


def test_nothing_is_guessed_along_a_symbol_that_had_one_value() -> None:
    known = Guesses()
    for point in POINTS[:2]:
        known.add(point, {"w": array(point["d"])})
    assert known.at({"d": 8, "H": 4}) is None
    assert known.at({"d": 20, "H": 2}) == {"w": array(20)}


def test_nothing_is_guessed_between_different_trees_or_of_parts_that_are_not_whole() -> None:
    known = Guesses()
    for depth in (2, 4):
        known.add({"L": depth}, {f"w_{i}": array(8) for i in range(depth)})
    assert known.at({"L": 6}) is None
    halves = Guesses()
    for width in (2, 4):
        halves.add({"d": width}, {"w": array(width // 2)})
    assert halves.at({"d": 5}) is None


@pytest.fixture(autouse=True)
def initialised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is initialised before it is traced, as those that ask for their variables are."""
    monkeypatch.setattr(Model, "declares", False)


def test_guessing_ends_where_it_is_wrong() -> None:
    known = Guesses()
    for width in (2, 4):
        known.add({"d": width}, {"w": array(width)})
    known.wrong = 2
    assert known.at({"d": 6}) is None


class Plain(nn.Module):
    """Widths that are products and parts."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.LayerNorm()(nn.Dense(3 * self.d)(x))
        return nn.DenseGeneral((self.H, self.d // self.H))(x)


class Rounded(nn.Module):
    """A width that is no line."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(max(8, (self.d + 4) // 8 * 8))(x)


class Mixed(nn.Module):
    """A number type that depends on a size."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return nn.Dense(self.d, param_dtype=jnp.bfloat16 if self.d > 20 else jnp.float32)(x)


class Boxed(nn.Module):
    """A box around some sizes' parameters alone."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        made: Any = nn.initializers.ones
        w: Any = self.param("w", nn.with_partitioning(made, ("rows",)) if self.d > 20 else made, (self.d,))
        return x * w[0]


class Hidden(nn.Module):
    """A parameter that is declared while it is not there, and then read."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        if self.has_variable("params", "w"):
            return x * self.get_variable("params", "w").sum()
        return x * self.param("w", nn.initializers.ones, (self.d // 10 + 1,)).sum()


class Summed(nn.Module):
    """Statistics beside the parameters, and a collection that nothing declares."""

    d: int
    H: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.BatchNorm(use_running_average=False)(nn.Dense(self.d)(x))
        self.sow("losses", "sum", x.sum())
        return x


@pytest.mark.parametrize("module", [Plain, Rounded, Mixed, Boxed, Hidden, Summed])
def test_the_program_is_the_one_of_a_model_that_knows_no_other_point(module: Any) -> None:
    model = make_model(module, ("float32[n,5]",))
    for point in POINTS:
        abstract, closed = traced(model, {"n": 3, **point})
        alone, fresh = traced(make_model(module, ("float32[n,5]",)), {"n": 3, **point})
        assert jax.tree.structure(abstract.arguments) == jax.tree.structure(alone.arguments)
        assert str(closed) == str(fresh)


@pytest.mark.parametrize(
    "made",
    [
        nn.initializers.zeros_init(), nn.initializers.ones, nn.initializers.constant(2.0), nn.initializers.uniform(),
        nn.initializers.normal(), nn.initializers.truncated_normal(), nn.initializers.lecun_normal(),
        nn.initializers.he_uniform(), nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=0),
        nn.initializers.orthogonal(), nn.initializers.delta_orthogonal(),
        nn.with_partitioning(nn.initializers.ones, ("a", "b")),
        lambda key, shape, dtype=jnp.float32: jnp.zeros((shape[0], 3), dtype),
    ],
)  # fmt: skip
def test_what_an_initialiser_returns_is_known_at_every_size(made: Any) -> None:
    known = Initialisers()
    for shape, dtype in [
        ((3, 4), jnp.float32),
        ((9, 7), jnp.float32),
        ((9, 7), jnp.bfloat16),
        ((2, 5, 6), jnp.float32),
    ]:
        found = told(lambda s=shape, d=dtype: known.abstract(WithKey(made), (s, d), {}))
        alone = told(lambda s=shape, d=dtype: jax.eval_shape(lambda: made(jax.random.PRNGKey(0), s, d)))
        assert found == alone


def test_an_initialiser_of_jaxs_is_asked_once_a_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked, plain = Initialisers(), [], jax.eval_shape
    monkeypatch.setattr(jax, "eval_shape", lambda *args: (asked.append(1), plain(*args))[1])
    for size in (3, 4, 5, 6):
        known.abstract(WithKey(nn.initializers.lecun_normal()), ((size, 2 * size), jnp.float32), {})
    assert len(asked) == 1
    with pytest.raises(ValueError, match="1-dimensional weights tensor"):
        known.abstract(WithKey(nn.initializers.lecun_normal()), ((3,), jnp.float32), {})


def told(work: Callable[[], Any]) -> Any:
    """What came of it, or what it raised."""
    try:
        return work()
    except Exception as problem:
        return str(problem)


def inits(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What is initialised from here on."""
    made, variables = [], LinenProgram.variables

    def told(self: LinenProgram) -> dict[str, Any]:
        made.append(variables(self))
        return made[-1]

    monkeypatch.setattr(LinenProgram, "variables", told)
    return made


def test_most_points_of_a_derivation_need_no_initialisation(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (known, seen):  # where sizes are not recorded every one of them is sampled
        monkeypatch.setattr(module, "record", lambda model, base, *more, **options: Recording(base, reason="not here"))
    made = inits(monkeypatch)
    costs = sc.trace(lambda d, h: nn.Sequential([nn.Dense(h), nn.relu, nn.Dense(d)]), "float32[n,c]", referee=False)
    assert str(costs.params) == "c*h + d*h + d + h"
    assert len(made) <= costs.certificate.traces // 3


def test_what_a_model_raises_is_raised_once_a_guess_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def factory(d: int) -> nn.Module:
        return nn.Dense(d, kernel_init=refuses if d > 10 else nn.initializers.ones)

    def refuses(*_: Any) -> jax.Array:
        raise ValueError("too wide")

    made = inits(monkeypatch)
    model = make_model(factory, ("float32[n,5]",))
    for d in (4, 6, 8):
        traced(model, {"n": 3, "d": d})
    assert len(made) == 2
    with pytest.raises(PointError, match="n=3, d=12: ValueError: too wide"):
        traced(model, {"n": 3, "d": 12})
