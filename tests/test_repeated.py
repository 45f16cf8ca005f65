"""Layers that are alike are traced once, and parameters declared as they are met: the program is the same one, to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from flax.core.scope import Scope
from test_zoo import cases, model_of
from zoo.case import Case

from symcost.tracing.program.capture import PointError, traced
from symcost.tracing.program.given import make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.repeated.calls import Calls, Unlike
from symcost.tracing.program.roles import roles_marked

LINEN = cases("CASES")


def program(model: Model, point: Mapping[str, int]) -> tuple[str, Any]:
    """The text of a program with the scopes of its equations, and its arguments."""
    with roles_marked():
        abstract, closed = traced(model, point)
    return closed.jaxpr.pretty_print(name_stack=True, use_color=False), jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), abstract.arguments
    )


def called_one_by_one(model: Model, point: Mapping[str, int], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """The same with every call made, after an initialisation."""

    def fields(self: Calls, context: Any) -> Any:
        raise Unlike

    with monkeypatch.context() as plain:
        plain.setattr(Calls, "_fields", fields)
        plain.setattr(Model, "at_once", lambda self, point: None)
        return program(model, point)


SLOW = {
    "resnet18_train", "efficientnet_width", "resnet50_synced", "mobilenet_v2", "moe_alternating", "t5_train", "diffusion_unet",
    "resnet_train_width", "unet_train",
}  # fmt: skip
"""Left to the campaign: each is of the kind of a quicker row."""
ROWS = [
    pytest.param(case, id=case.name, marks=[pytest.mark.campaign] * (case.name in SLOW or row % 2))
    for row, case in enumerate(LINEN)
]
"""Every second one of every run; the campaign compares the others."""


@pytest.mark.parametrize("case", ROWS)
def test_programs_of_the_zoo_are_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert program(model_of(case), case.small) == called_one_by_one(model_of(case), case.small, monkeypatch)


CALLS: list[int] = []


class Counted(nn.Dense):
    """A layer of somebody's own."""

    def __call__(self, inputs: Any) -> Any:
        """Counts, and is what it is."""
        CALLS.append(1)
        return super().__call__(inputs)


class Twice(nn.Module):
    """Layers that are alike, one of them called again."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        shared = nn.Dense(8)
        for _ in range(3):
            x = nn.LayerNorm()(nn.Dense(8, use_bias=False)(shared(x)))
        return x


class Tied(nn.Module):
    """A parameter that is read from where it was declared."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Dense(8)(nn.Dense(8, name="first")(x))
        return x @ self.variables["params"]["first"]["kernel"]


class Sown(nn.Module):
    """A loss beside the result."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        x = nn.Dense(8)(nn.Dense(8)(x))
        self.sow("losses", "mean", jnp.mean(x))
        return x


class Begun(nn.Module):
    """A parameter that is declared while the model is initialised, and one that is asked for."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        if self.is_initializing():
            self.param("unused", nn.initializers.ones, (3,))
        return nn.Dense(8)(x) if self.has_variable("params", "unused") else x


class Normal(nn.Module):
    """Statistics that are updated."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for _ in range(3):
            x = nn.BatchNorm(use_running_average=False)(nn.Dense(8)(x))
        return x


class Remade(nn.Module):
    """Layers inside a function of their own."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for _ in range(3):
            x = nn.remat(nn.Dense)(8)(nn.Dense(8)(x))
        return x


class Drawn(nn.Module):
    """An initialiser, and a product, of somebody's own."""

    @nn.compact
    def __call__(self, x: Any) -> Any:
        for k in range(3):
            x = nn.Dense(8, kernel_init=lambda key, shape, dtype, k=k: k * jnp.ones(shape, dtype))(x)
            x = nn.Dense(8, dot_general=lambda a, b, *rest, k=k, **more: (1 + k) * jax.lax.dot_general(a, b, *rest))(x)
        return x


OWN = (Twice, Tied, Sown, Begun, Normal, Remade, Drawn)


@pytest.mark.parametrize("module", OWN)
def test_programs_are_the_same(module: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> Model:
        return make_model(module(), ("float32[n,8]",))

    assert program(made(), {"n": 5}) == called_one_by_one(made(), {"n": 5}, monkeypatch)


def test_layers_of_others_are_called_every_time() -> None:
    CALLS.clear()
    traced(make_model(nn.Sequential([Counted(8), Counted(8), Counted(8)]), ("float32[n,8]",)), {"n": 3})
    assert len(CALLS) == 3


def test_flax_is_as_before_afterwards() -> None:
    def methods() -> list[Any]:
        names = ("variables", "variable", "param", "has_variable", "get_variable", "get_flag", "is_mutable_collection")
        return [nn.Module._register_submodules, *(getattr(Scope, name) for name in names)]

    before = methods()
    for module in (*OWN, lambda: nn.Dense(-3)):
        try:
            traced(make_model(module(), ("float32[n,8]",)), {"n": 3})
        except PointError:
            assert module not in OWN
        assert methods() == before
