"""What plans say beside their numbers: what bounds each step, what those miss that are not feasible, and meshes of one device."""

from __future__ import annotations

import pytest
from pod_case import SIZES, TENSOR, V5P

import symcost as sc
from examples.pod import perceptron


def test_each_plan_tells_what_bounds_its_step(tensor: sc.CostTable) -> None:
    found = sc.plans(tensor, chips=16, device=V5P, batch=[16, 4096, 65536], given=SIZES, top=100, front=True)
    for plan in (*found, *found.front):
        step = sc.step_time(plan.costs, V5P)
        sent = sum(step.communication.values())
        longest = max(step.compute, step.memory, sent)
        assert plan.row["step_time"] == longest
        if plan.row["bound"] in ("compute", "memory"):
            assert {"compute": step.compute, "memory": step.memory}[plan.row["bound"]] == longest
        else:
            kind, _, axis = plan.row["bound"].partition(" over ")
            assert longest == sent
            assert step.communication[axis] == max(step.communication.values())
            assert (kind, (axis,)) in {(row.kind, row.axes) for row in plan.costs.collectives}
    assert {plan.row["bound"] for plan in found} > {"compute", "all-reduce over model"}
    assert "all-reduce over data" in str(found)


@pytest.mark.campaign
def test_what_plans_miss_that_are_not_feasible_is_counted(tensor: sc.CostTable) -> None:
    few = sc.plans(tensor, chips=16, device=V5P, batch=[8, 4096], given=SIZES, where=["X >= 4"])
    assert few.missed == (  # of 5 meshes each; X = 16 does not divide 8, and X = 1 and 2 are too small
        "10 plans with as many chips: 1 outside of where the forms hold (sizes that axes do not divide, or were not tried), "
        "4 that miss the conditions"
    )
    assert few.missed.split(":")[0] in str(few)
    large = sc.plans(tensor, chips=16, device=V5P, batch=4096, given={"d": 65536, "F": 65536})
    assert large.missed == f"5 plans with as many chips: 1 without room on {V5P}"
    every = sc.plans(tensor, chips=16, device=V5P, batch=4096, given=SIZES)
    assert (every.count, every.missed) == (5, "")


def test_a_mesh_of_one_device_is_one_line() -> None:
    with pytest.raises(sc.SpecError, match="a mesh of data=1 x model=1 has one device, over which nothing is cut"):
        sc.trace(perceptron, "bfloat16[B,d]", plan=sc.Plan({"data": 1, "model": 1}, TENSOR))
