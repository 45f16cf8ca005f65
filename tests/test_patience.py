"""How long a model that raises is tried: by what its trials take, the same on every machine."""

import jax.numpy as jnp
import pytest
from flax import linen as nn

import symcost as sc
from symcost.errors import LiftError
from symcost.tracing.program.capture import PointError
from symcost.tracing.program.paths import Effort
from symcost.tracing.sampling.patience import A_FEW, FEW, MANY, PATIENCE, SHORT_PATIENCE, Patience


class Mistaken(nn.Module):
    """A list where an array is asked for, beside a table of powers that has no room for many frequencies."""

    width: int
    frequencies: int

    @nn.compact
    def __call__(self, x):
        scales = jnp.array([2**k for k in range(self.frequencies)])
        x = nn.Dense(self.width)(jnp.sin(x[..., None] * scales).reshape(x.shape[0], -1))
        return x + jnp.broadcast_to([1e10], x.shape)


def test_a_plain_mistake_is_told_after_a_few_points_though_others_raise_otherwise() -> None:
    with pytest.raises(LiftError) as raised:
        sc.trace(lambda d, F: Mistaken(d, F), "float32[n,c]")
    said = str(raised.value)
    count = int(said.split("at all of ")[1].split(" ")[0])
    assert count <= 8
    assert "got <class 'list'>" in said
    assert "OverflowError" not in said
    assert "correct its inputs, its parameters or the model" in said


@pytest.mark.parametrize(
    ("tries", "spent", "over"),
    [(A_FEW, SHORT_PATIENCE, False), (A_FEW, SHORT_PATIENCE + 1, True), (MANY - 1, 0, False), (MANY, 0, True)],
)
def test_what_raises_alike_is_given_up_by_its_tries_and_by_their_effort(tries: int, spent: int, over: bool) -> None:
    patience = Patience(Effort(spent), [point_error("odd")], tries - 1)
    assert patience.over() is over


def test_what_raises_in_several_ways_is_tried_longer() -> None:
    failures = [point_error("odd"), point_error("too wide")]
    assert not Patience(Effort(SHORT_PATIENCE + 1), failures, FEW).over()
    assert Patience(Effort(PATIENCE + 1), failures, FEW).over()


def point_error(text: str) -> PointError:
    """What a model raised at a point."""
    return PointError(f"the model raised at d=3: ValueError: {text}", {"d": 3})
