"""Plans from few points: sizes that three points tell apart, and lowered programs that are written instead of traced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
from test_plans import CASES

import symcost as sc
from symcost.formulas.form import Form, floor
from symcost.tracing.fitting.monomials import Monomials, told_apart
from symcost.tracing.mesh.lattice import Lattice
from symcost.tracing.mesh.sampler import MeshSampler

VALUES = {
    "n": (16, 32, 48, 80),
    "T": (193, 255, 230, 311),
    "d": (96, 192, 288, 480),
    "H": (4, 8, 12),
    "X": (16, 2, 4, 8),
}


def test_three_points_tell_sizes_apart() -> None:
    points = told_apart(
        {name: of[0] for name, of in VALUES.items()}, VALUES, lambda point: point["d"] % point["H"] == 0
    )
    n, T, d, H, X = map(Form.symbol, VALUES)
    known = Monomials(list(VALUES), points, [T + n, T + 1])
    assert len(points) == 3
    assert known.tells
    for form in (
        3 * n * T * d / X,
        d / H,
        12 * T * T * n,
        (T + n) * d,
        (T + 1) * n,
        T - 1,
        T + X - 1,
        Form.constant(7),
    ):
        assert known.form(tuple(int(form.value(point)) for point in points)) == form
    assert known.form(tuple(point["d"] // 7 + point["n"] for point in points)) is None
    assert known.form((0, 1, 1)) is None


def test_sizes_that_move_together_are_not_told_apart() -> None:
    assert told_apart({"a": 2, "b": 2}, {"a": (2, 4, 6), "b": (2, 4, 6)}, lambda point: point["a"] == point["b"]) == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """The samplers that plans make, and the points at which they compare what was written."""
    found: dict[str, list[Any]] = {"samplers": [], "checked": []}
    check, made = MeshSampler.check, MeshSampler.learn

    def checked(self: MeshSampler, point: dict[str, int]) -> None:
        found["checked"].append(point)
        check(self, point)

    def learned(self: MeshSampler, *given: Any) -> None:
        found["samplers"].append(self)
        made(self, *given)

    monkeypatch.setattr(MeshSampler, "check", checked)
    monkeypatch.setattr(MeshSampler, "learn", learned)
    return found


def test_a_written_program_has_the_numbers_of_the_traced_one(
    asked: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, specs, mode, plan, _ = CASES["sharded"]
    written = sc.trace(model, specs, mode=mode, plan=plan)
    sampler = asked["samplers"][0]
    assert len(sampler._at) > len(sampler._seen) / 2
    assert asked["checked"]
    assert "the lowered program is that of others with its sizes put in" in str(written.per_device.certificate)
    monkeypatch.setattr(MeshSampler, "writes", False)
    monkeypatch.setattr(MeshSampler, "learn", lambda self, points, factors: None)
    traced = sc.trace(model, specs, mode=mode, plan=plan)
    assert "put in" not in str(traced.per_device.certificate)
    assert written.communication == traced.communication
    assert written.per_device.flops == traced.per_device.flops
    assert written.per_device.params == traced.per_device.params


class OfItsMesh(nn.Module):
    """A layer that computes something else on large meshes: its program is not that of others with its sizes put in."""

    d: int

    @nn.compact
    def __call__(self, x: Any) -> Any:
        mesh = jax.sharding.get_abstract_mesh()
        y = nn.Dense(self.d, use_bias=False, name="up")(x)
        return jnp.tanh(y) if dict(mesh.shape).get("data", 0) > 100 else y


def test_a_program_that_asks_for_its_mesh_is_traced_at_every_point(asked: dict[str, list[Any]]) -> None:
    cut = sc.trace(OfItsMesh, "float32[B,c]", plan=sc.Plan({"data": "X"}, {"inputs/0": ("data",)}))
    assert cut.per_device.subs(B=128, c=2, d=2, X=64).total("full").transcendentals == 0
    with pytest.raises(sc.SymcostError, match="X"):
        cut.per_device.subs(B=128, c=2, d=2, X=128)
    assert not asked["samplers"][0]._at


def test_sizes_on_a_device_are_those_of_the_mesh_that_is_asked() -> None:
    """An axis of one device cuts nothing: of such meshes forms are compared, too."""
    model, spec, mode, plan, _ = CASES["sharded"]
    lattice = Lattice(sc.trace(model, spec, mode=mode, referee=False), plan)
    B, X = Form.symbol("B"), Form.symbol("X")
    assert lattice.local(plan)["B"] == B / X
    assert lattice.local(replace(plan, mesh={**plan.mesh, "data": 1}))["B"] == B
    assert list(lattice.on_device([floor(B / 4)])) == [floor(B / (4 * X))]
