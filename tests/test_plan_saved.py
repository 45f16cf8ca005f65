"""A table with a plan reads back from its file with the plan, the table of one device, and the collectives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import symcost as sc
from examples.pod import perceptron
from symcost.cli.main import main
from symcost.costs.saved.format import digest
from symcost.report.formats import markdown

AT = {"d": 4096, "F": 4096, "B": 32768, "X": 4, "Y": 2}


def read_back(costs: sc.CostTable, folder: Path) -> sc.CostTable:
    """The table from its file."""
    costs.save(folder / "costs.json")
    return sc.load(folder / "costs.json")


@pytest.mark.parametrize("point", [{}, AT, {"d": 4096, "X": 4}])
def test_a_plan_reads_back_whole(point: dict[str, int], tensor: sc.CostTable, tmp_path: Path) -> None:
    there = tensor.subs(**point)
    found = read_back(there, tmp_path)
    assert found.plan == tensor.plan
    assert found.collectives == there.collectives
    assert found.communication == there.communication
    assert found.symbols == there.symbols
    for name in ("params", "macs", "flops", "state", "activations", "residuals"):
        assert sc.equal(getattr(found.per_device, name), getattr(there.per_device, name)), name
    assert len(found.per_device.rows) == len(there.per_device.rows)
    rest = {name: value for name, value in AT.items() if name not in point}
    assert found.subs(**rest).per_device.flops == tensor.subs(**AT).per_device.flops
    assert sc.step_time(found.subs(**rest), "tpu-v5p").value() == sc.step_time(tensor.subs(**AT), "tpu-v5p").value()
    assert read_back(found, tmp_path).collectives == found.collectives


def test_axes_of_one_device_read_back_too(tensor: sc.CostTable, tmp_path: Path) -> None:
    """There nothing is sent along them, and plans are searched there as well."""
    found = read_back(tensor, tmp_path)
    assert {each.symbols for each in tensor.parts.sharded.alone} == {("X",), ("Y",)}
    assert found.parts.sharded.alone == tensor.parts.sharded.alone
    for name, axes in (("X", {("model",)}), ("Y", {("data",)})):
        at = {**AT, name: 1}
        assert found.subs(**at).collectives == tensor.subs(**at).collectives
        assert {row.axes for row in found.subs(**at).collectives} == axes
    asked: dict[str, Any] = dict(chips=16, device="tpu-v5p", batch=65536, given={"d": 4096, "F": 8192}, top=9)
    plans = sc.plans(found, tokens="B", **asked)
    assert {(each.row["X"], each.row["Y"]) for each in plans} == {(2**k, 16 >> k) for k in range(5)}
    assert all(each.row["tokens_per_second"] * Fraction(str(each.row["step_time"])) == 65536 for each in plans)
    assert "left out" not in str(plans)
    longer = replace(found.parts.sharded, alone=())
    told = sc.plans(found.cut(longer), **asked)
    assert len(told) == 3
    assert "plans with X=1 and Y=1 are left out" in str(told)
    assert str(told).splitlines()[0].startswith("all with chips=16, d=4096")


@pytest.mark.campaign
def test_a_file_knows_where_the_numbers_of_a_device_hold(tensor: sc.CostTable, tmp_path: Path) -> None:
    found = read_back(tensor, tmp_path)
    for wrong, message in (
        ({"B": 32770}, "B % X == 0 must hold"),
        ({"X": 1, "Y": 1}, "X >= 2 must hold"),
        ({"d": 2**21}, "beyond what was tried"),
    ):
        with pytest.raises(sc.DomainError, match=message):
            _ = found.subs(**{**AT, **wrong}).communication
    asked: dict[str, Any] = dict(chips=64, device="tpu-v5p", batch=65536, given={"d": 4096, "F": 4096}, zero=(0, 1))
    assert sc.plans(found, **asked).rows == sc.plans(tensor, **asked).rows


def test_every_order_of_sizes_reads_back(tmp_path: Path, tensor: sc.CostTable) -> None:
    """Two forms, each where it holds: the second one is made up of the first."""
    first = tensor.parts.sharded
    two = tensor.cut(type(first)(first.plan, first.table, first.rows, {}, (first,)))
    found = read_back(two, tmp_path)
    assert [each.collectives for each in found.sides] == [each.collectives for each in two.sides]
    assert len(found.sides) == 2


def test_files_of_earlier_versions_are_read_without_the_plan(tensor: sc.CostTable, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    tensor.save(path)
    document = json.loads(path.read_text())
    device = document["mesh"]["per_device"]
    document["mesh"]["per_device"] = {"totals": device["totals"], "domain": device["domain"]}
    document["digest"] = digest(document)
    path.write_text(json.dumps(document))
    found = sc.load(path)
    assert found.plan is None
    assert found.subs(n=1) if "n" in found.symbols else sc.equal(found.params, tensor.params)


DAMAGE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda mesh: mesh["axes"].update(data=0), "the axis 'data' of the mesh has size 0"),
    (lambda mesh: mesh["collectives"][0].update(kind="gossip"), "'gossip' stands where a kind of collective should"),
    (lambda mesh: mesh["collectives"][0].update(bytes=3), "3 stands where a formula should"),
    (lambda mesh: mesh["collectives"][0].pop("times"), "KeyError 'times'"),
    (lambda mesh: mesh["per_device"]["rows"].pop(), "the sum of its rows"),
    (lambda mesh: mesh.pop("shard"), "KeyError 'shard'"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_a_damaged_mesh_is_one_line(
    damage: Callable[[Any], Any], message: str, tensor: sc.CostTable, tmp_path: Path
) -> None:
    path = tmp_path / "costs.json"
    tensor.subs(**AT).save(path)
    document = json.loads(path.read_text())
    damage(document["mesh"])
    document["digest"] = digest(document)
    path.write_text(json.dumps(document))
    with pytest.raises(sc.SymcostError, match="is damaged") as problem:
        sc.load(path)
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


def test_every_format_tells_the_mesh(tensor: sc.CostTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "| all-reduce along data, bytes |" in markdown.render(tensor)
    assert "each device of the mesh" in str(tensor)
    tensor.save(tmp_path / "costs.json")
    typed = [
        "--chips",
        "64",
        "--device",
        "tpu-v5p",
        "--batch",
        "65536",
        "--at",
        "d=4096",
        "--at",
        "F=4096",
        "--format",
        "csv",
    ]
    assert main(["plans", str(tmp_path / "costs.json"), *typed]) == 0
    columns = "chips,X,Y,d,F,step_batch,microbatches,step_time (s),device_bytes (B),communication (B)"
    assert capsys.readouterr().out.startswith(columns)


def test_a_budget_holds_a_device_to_its_limits(
    tensor: sc.CostTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tensor.save(tmp_path / "costs.json")
    file = tmp_path / "symcost.toml"
    at = ", ".join(f"{name} = {value}" for name, value in AT.items())
    budget = f"""[models.x]\nmodel = "costs.json"\n[[models.x.budgets]]\nat = {{ {at} }}\ndevice = "tpu-v5p"\noptimizer = "adam"
zero = 1\nfit = true\nstep_time = "3 ms"\ndevice_bytes = "1 GB"\nwhere = ["communication_along_data <= 40 MB"]\n"""
    file.write_text(budget)
    assert main(["check", str(file)]) == 0
    assert "limits hold" in capsys.readouterr().out
    file.write_text(budget.replace("3 ms", "3 us"))
    assert main(["check", str(file)]) == 1
    assert "step_time" in capsys.readouterr().out
    file.write_text(budget.replace("B = 32768", "B = 32770"))
    assert main(["check", str(file)]) == 2
    assert "B % X == 0 must hold" in capsys.readouterr().err
    ranges = at.replace("B = 32768, ", "")
    file.write_text(f'[models.x]\nmodel = "costs.json"\n[[models.x.budgets]]\nat = {{ {ranges} }}\ndevice_bytes = "1 GB"\n'
                    "over = { B = '12096..65536' }\n")  # fmt: skip
    assert main(["check", str(file)]) == 0, "for every batch that the axes divide"


@pytest.mark.campaign
def test_a_difference_tells_what_changes_on_a_device(
    tensor: sc.CostTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sc.Plan({"data": "X", "model": "Y"}, {"inputs/0": ("data", "model")})
    tensor.save(tmp_path / "old.json")
    sc.trace(perceptron, "bfloat16[B,d]", plan=other, mode="train").save(tmp_path / "new.json")
    assert main(["diff", str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 0
    told = capsys.readouterr().out
    assert "device_params" in told
    assert "communication" in told
