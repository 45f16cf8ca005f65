"""The page of a table with a plan: a slider for each axis of the mesh, and what one device holds, computes, sends and takes."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from browsing import move
from effort import needed

import symcost as sc
from symcost.report.page.render import render

needed("playwright.sync_api", "the page in a browser")


def data_of(page: str) -> Any:
    """What the page's script reads."""
    found = re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def value(program: list[list[Any]], index: int, at: dict[str, int]) -> Fraction:
    """An instruction's number, by Python's fractions."""
    op, *args = program[index]
    if op == "n":
        return Fraction(int(args[0]), int(args[1]))
    if op == "s":
        return Fraction(at[args[0]])
    if op == "^":
        return value(program, args[0], at) ** args[1]
    parts = [value(program, each, at) for each in args]
    if op == "+":
        return sum(parts, start=Fraction(0))
    if op == "*":
        made = Fraction(1)
        for part in parts:
            made *= part
        return made
    return {"max": max, "min": min}[op](parts)


def test_the_mesh_has_sliders_that_begin_inside_its_conditions(tensor: sc.CostTable) -> None:
    data = data_of(render([("net", tensor)], on="google-tpu-v5p"))
    sliders = {each["name"]: each for each in data["symbols"]}
    assert sliders["X"]["meaning"] == "devices along data"
    assert sliders["Y"]["ticks"] == [2, 4, 8, 16, 32, 64, 128, 256]
    start = {name: int(each["start"]) for name, each in sliders.items()}
    assert tensor.subs(**start).communication
    assert "B % X == 0" in {each["text"] for each in data["models"][0]["conditions"]}


def test_the_numbers_of_a_device_are_those_of_the_table(tensor: sc.CostTable) -> None:
    (model,) = data_of(render([("net", tensor)], on="google-tpu-v5p"))["models"]
    at = {"B": 16384, "d": 4096, "F": 2048, "X": 8, "Y": 4}
    there, program = tensor.subs(**at), model["program"]
    told = {
        each["name"]: value(program, each["value"], at) for part in ("held", "sent") for each in model["mesh"][part]
    }
    assert told["params of a device"] == there.per_device.params
    assert told["bytes of training on a device"] == sc.training_memory(there).total
    assert told["all-reduce along model"] == there.communication["all-reduce", ("model",)]
    step = model["mesh"]["steps"]["google-tpu-v5p"]
    assert value(program, step["seconds"], at) == sc.step_time(there, "google-tpu-v5p").value()
    assert "no published peak for bfloat16" in model["mesh"]["steps"]["stm32f746"]


def test_a_table_without_a_plan_has_no_section(tensor: sc.CostTable, tmp_path: Path) -> None:
    page = render([("net", tensor.whole), ("alexnet", sc.models.alexnet())])
    assert 'id="mesh-title"' not in page
    assert data_of(page)["models"][0]["mesh"] is None
    tensor.save(tmp_path / "costs.json")
    assert 'id="mesh-0"' in render([("net", sc.load(tmp_path / "costs.json"))])


def test_the_browser_shows_the_step_of_the_chosen_device(tensor: sc.CostTable, opened: Any) -> None:
    at = {"B": 16384, "d": 4096, "F": 2048, "X": 8, "Y": 4}
    page = opened(render([("net", tensor)], at=at, on="google-tpu-v5p"))
    for more in ({"X": 4}, {"Y": 8}):
        move(page, **more)
        at |= more
        step = page.locator("#mesh-0 tr[data-mesh=step] td").get_attribute("data-value")
        assert Fraction(step) == sc.step_time(tensor.subs(**at), "google-tpu-v5p").value()
    page.select_option("#device", "stm32f746")
    assert "no published peak" in page.locator("#mesh-0 tr[data-mesh=step] td").inner_text()
