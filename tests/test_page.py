"""The page in a real browser, without a network: what is shown is what ``costs.subs`` says, at every step of a slider."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from browsing import MODELS, expected, move, resnet_page, totals
from effort import needed

import symcost as sc
from symcost.report.page.render import render

playwright = needed("playwright.sync_api", "the page in a browser")
Page, expect = Any, playwright.expect

EVIL = '<script>document.title="broken"</script><img src=x onerror="document.title=1">&"\'`'


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A table and its page."""
    costs = MODELS[request.param]()
    return costs, render([(request.param, costs)])


def test_every_field_moves_the_totals_to_what_subs_says(model: tuple[Any, str], opened: Any) -> None:
    costs, html = model
    page = opened(html)
    data = json.loads(page.text_content("#data"))
    start = {s["name"]: int(s["start"]) for s in data["symbols"]}
    assert totals(page) == expected(costs, start)
    draw = random.Random(5)
    points = []
    for s in data["symbols"]:
        points += [{**start, s["name"]: s["low"]}, {**start, s["name"]: s["high"]}]
    for _ in range(4):
        points.append({s["name"]: draw.randrange(s["low"], s["high"] + 1, s["step"]) for s in data["symbols"]})
    points.append({name: value * 10**9 for name, value in start.items() if name in ("n", "L")} | {
        name: value for name, value in start.items() if name not in ("n", "L")})  # fmt: skip
    inside = 0
    for point in points:
        move(page, **point)
        if costs.domain.problem(point):
            expect(page.locator("#problem")).to_be_visible()
            assert "must hold" in page.inner_text("#problem")
        else:
            inside += 1
            expect(page.locator("#problem")).to_be_hidden()
            assert totals(page) == expected(costs, point)
    assert inside >= 5
    assert any(int(value) > 2**53 for value in totals(page).values())


def test_a_table_in_pieces_has_the_numbers_of_the_piece_that_holds(opened: Any) -> None:
    """What another piece divides by may be 0."""
    odd, deep = sc.parse("Piecewise((n, Ne(n, 4)), (9, True))"), sc.parse("Piecewise((1, L >= 2), (0, True))")
    first = sc.Cost(params=sc.parse("d"), macs=odd)
    rest = sc.Cost(params=sc.parse("Piecewise((floor(n*d/(L - 1)), L >= 2), (d, True))"))
    made = sc.CostTable(
        [sc.Row(path="in", op="linear", cost=first), sc.Row(path="on", op="linear", cost=rest, times=deep)]
    )
    costs = sc.CostTable.of(made._counts, replace(made.parts, peak=lambda rule, unit: odd))
    page = opened(render([("net", costs)], at={"d": 5, "L": 3}))
    for point in (
        {"n": 4, "d": 5, "L": 1},
        {"n": 4, "d": 5, "L": 2},
        {"n": 7, "d": 6, "L": 4},
        {"n": 7, "d": 6, "L": 1},
    ):
        move(page, **point)
        assert totals(page) == expected(costs, point)


def test_modules_add_up_and_latency_and_energy_are_those_of_the_library(model: tuple[Any, str], opened: Any) -> None:
    costs, html = model
    page = opened(html)
    point = {s["name"]: int(s["start"]) for s in json.loads(page.text_content("#data"))["symbols"]}
    first = page.evaluate("[...document.querySelector('table.modules tbody tr').querySelectorAll('td[data-value]')]"
                          ".map((cell) => cell.dataset.value)")  # fmt: skip
    at = costs.subs(**point)
    full = at.total()
    state = [at.state] if at.state else []  # a column where some model has any
    numbers = (at.macs, at.params, *state, at.flops, at.activations, full.bytes_read + full.bytes_written)
    assert first == [str(number) for number in numbers]
    page.select_option("#device", "jetson-agx-orin")
    dtype = page.input_value("#dtype")
    shown = {
        name: page.get_attribute(f"[data-estimate={name}] td", "data-value")
        for name in ("latency", "compute", "movement")
    }
    assert Fraction(shown["latency"]) == sc.latency(costs, "jetson-agx-orin", dtype, model="fused").value(**point)
    batch = point.get("n", 1)
    found = page.get_attribute("[data-estimate=throughput] td", "data-value")
    assert Fraction(found) == batch / Fraction(shown["latency"])
    energy = sc.energy(costs, model="fused")
    assert Fraction(shown["compute"]) + Fraction(shown["movement"]) == energy.value(**point)


def test_a_measured_device_has_its_rates(opened: Any, tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    board.write_text('[board]\nsource = "measured"\noverhead_us = 3\npeak = { float32_gflops = 10 }\n'
                     "measured.product = { operations_gflops = 5, weights_mb_per_s = 700, overhead_us = 2 }\n"
                     "measured.grouped = { operations_gflops = 0.5, activations_mb_per_s = 300 }\n"
                     '[board.memory.ram]\nsize_mib = 64\nbandwidth_gb_per_s = 3\nholds = ["weights", "activations"]\n')  # fmt: skip
    costs = sc.models.mobilenet_v2(n="n")
    page = opened(render([("net", costs)], on=str(board)))
    assert Fraction(page.get_attribute("[data-estimate=latency] td", "data-value")) == sc.latency(
        costs, str(board), model="fused").value(n=1)  # fmt: skip


def test_sorting_collapsing_and_the_keyboard(opened: Any) -> None:
    page = opened(render([("net", sc.models.resnet50())]))
    rows = page.locator("table.modules tbody tr")
    before = rows.count()
    page.locator("table.modules button[aria-label='Expand stage1']").focus()
    page.keyboard.press("Enter")
    assert rows.count() > before
    expect(page.locator("table.modules button[aria-label='Collapse stage1']")).to_be_focused()
    page.keyboard.press("Space")
    assert rows.count() == before
    page.click("#expand")
    assert rows.count() > 100
    page.click("#collapse")
    head = page.locator("table.modules thead button", has_text="MACs")
    head.focus()
    page.keyboard.press("Enter")
    numbers = page.evaluate("[...document.querySelectorAll('table.modules tbody tr')].slice(1).map("
                            "(row) => Number(row.querySelector('td[data-value]').dataset.value))")  # fmt: skip
    assert numbers == sorted(numbers, reverse=True)
    assert page.get_attribute("table.modules th[aria-sort]", "aria-sort") == "descending"


def test_bars_are_of_the_deepest_modules_that_fit_and_add_up(opened: Any) -> None:
    block = sc.Residual(sc.Sequential(fc=sc.Linear("d"), act=sc.ReLU()))
    net = sc.Sequential(backbone=sc.Sequential(up=sc.Linear("d"), **{f"block_{i}": block for i in range(3)}))
    costs = sc.table(net, ("n", 4))
    page = opened(render([("net", costs)], at={"n": 2, "d": 8}))
    page.select_option("#metric", label="FLOPs (full)")
    bars = page.locator("#bars-0 li")
    addition = page.locator("#bars-0 .name", has_text="backbone/block_# x 3 (itself)")  # of a residual block
    expect(addition).to_be_visible()
    blocks = ("(itself)", "body/fc", "body/act")
    assert bars.locator(".name").all_inner_texts() == [
        "backbone/up", *(f"backbone/block_# x 3{' ' if n[0] == '(' else '/'}{n}" for n in blocks)
    ]  # fmt: skip
    values = bars.evaluate_all("(all) => all.map((bar) => bar.dataset.value)")
    assert sum(map(int, values)) == costs.subs(n=2, d=8).flops


def test_a_slider_is_moved_by_the_arrow_keys(opened: Any) -> None:
    costs = MODELS["resnet"]()
    page = opened(resnet_page())
    page.focus("#slider-n")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("body[data-draws='2']")
    assert page.input_value("#field-n") == "2"
    assert totals(page) == expected(costs, {"n": 2, "r": 224, "C": 1000})


def test_a_link_carries_the_values(opened: Any) -> None:
    costs = MODELS["resnet"]()
    html = resnet_page()
    page = opened(html)
    move(page, n=7, r=160)
    fragment = page.evaluate("location.hash")
    again = opened(html, fragment)
    assert totals(again) == expected(costs, {"n": 7, "r": 160, "C": 1000})
    assert opened(html, "#n=0&r=-1&zzz=3").input_value("#field-n") == "1"


def test_the_link_is_put_on_the_clipboard(opened: Any) -> None:
    page = opened(resnet_page())
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.put = text; } } })"
    )
    page.fill("#field-n", "9")
    page.click("#link")
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert page.evaluate("window.put").endswith("#C=1000&n=9&r=224")
    page.evaluate("() => { navigator.clipboard.writeText = async () => { throw new Error('refused'); }; }")
    page.click("#link")
    expect(page.locator("#copied")).to_have_text("The address bar has it.")
    assert page.evaluate("location.hash") == "#C=1000&n=9&r=224"


def test_dragging_fast_ends_with_the_last_value_everywhere(opened: Any) -> None:
    costs = MODELS["resnet"]()
    page = opened(resnet_page())
    page.click("#expand")
    page.evaluate("delete document.body.dataset.settled")
    page.evaluate(
        """async () => {
            const slider = document.getElementById("slider-r");
            for (let k = 0; k < 60; k++) {
                slider.value = 100 + 2 * k;
                slider.dispatchEvent(new Event("input"));
                await new Promise(requestAnimationFrame);
            }
        }"""
    )
    page.wait_for_selector("body[data-settled]")
    point = {"n": 1, "r": 218, "C": 1000}
    assert totals(page) == expected(costs, point)
    assert page.evaluate("location.hash") == "#C=1000&n=1&r=218"
    leaves = page.evaluate(
        "[...document.querySelectorAll('table.modules tbody tr')].filter((row) => !row.querySelector('button'))"
        ".map((row) => row.querySelectorAll('td')[1].dataset.value)"
    )
    owns = page.evaluate(
        "[...document.querySelectorAll('table.modules tbody tr')].map((row) => row.querySelectorAll('td')[1].dataset.value)"
    )
    assert int(owns[0]) == costs.subs(**point).macs
    assert sum(map(int, leaves)) == costs.subs(**point).macs


def test_it_prints_on_paper_with_everything_in_it(opened: Any) -> None:
    page = opened(resnet_page())
    move(page, n=4)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.pdf(format="A4").startswith(b"%PDF-")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("#link")).to_be_hidden()
    ink, paper = page.evaluate(
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < sum(
        map(int, re.findall(r"\d+", paper)[:3])
    )  # dark ink, white paper
    assert page.evaluate("getComputedStyle(document.querySelector('aside')).position") == "static"


def test_a_field_that_is_no_number_says_so_until_it_is_one(opened: Any) -> None:
    costs = MODELS["resnet"]()
    page = opened(resnet_page())
    page.fill("#field-n", "2.5")
    expect(page.locator("#problem")).to_have_text("n must be a positive integer")
    page.focus("#slider-r")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('field-r').value !== '224'")
    page.fill("#field-C", "-1")
    expect(page.locator("#problem")).to_have_text("n must be a positive integer; C must be a positive integer")
    expect(page.locator("body")).to_have_class("stale")
    page.fill("#field-C", "10")
    expect(page.locator("#problem")).to_have_text("n must be a positive integer")
    expect(page.locator("#field-n")).to_have_attribute("aria-invalid", "true")
    page.focus("#slider-n")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#field-n")).to_have_attribute("aria-invalid", "false")
    expect(page.locator("#problem")).to_be_hidden()
    point = {name: int(page.input_value(f"#field-{name}")) for name in ("n", "r", "C")}
    assert totals(page) == expected(costs, point)


def test_a_link_to_a_point_outside_says_that_there_are_no_numbers(opened: Any) -> None:
    costs = sc.table(sc.Conv2d(c_o="c", k=3, p=1, g=7), ("n", "c", 8, 8))
    page = opened(render([("net", costs)]), "#c=8")
    expect(page.locator("#problem")).to_contain_text("There are no numbers.")
    move(page, c=14)
    assert totals(page) == expected(costs, {"n": 1, "c": 14})
    move(page, c=15)
    expect(page.locator("#problem")).to_contain_text("The numbers below are those before.")


def test_the_page_says_how_long_a_step_took(opened: Any) -> None:
    page = opened(resnet_page())
    move(page, r=160)
    assert float(page.get_attribute("body", "data-drawn")) >= 0


def test_a_start_beyond_floats_stays_exact(opened: Any) -> None:
    costs = MODELS["resnet"]()
    far = 10**22 + 1
    page = opened(render([("net", costs)], at={"n": far}))
    assert page.input_value("#field-n") == str(far)
    assert totals(page)["MACs (textbook, full)"] == str(costs.subs(n=far, r=224, C=1000).macs)


def test_two_models_side_by_side_on_common_symbols(opened: Any) -> None:
    first, second = sc.models.mobilenet_v2(r="r", n="n"), sc.models.mcunet_in1(r="r", n="n")
    page = opened(render([("a", first), ("b", second)], at={"r": 160}))
    move(page, n=3)
    cells = page.evaluate(
        "[...document.querySelectorAll('[data-total=\"params (full, xla)\"] td')].map((c) => c.dataset.value)"
    )
    point = {"n": 3, "r": 160}
    assert cells == [str(costs.subs(**point).params) for costs in (first, second)]
    assert page.locator("table.modules").count() == 2


def test_a_verdict_is_text_and_moves_the_sliders_to_its_point(opened: Any) -> None:
    n = sc.symbols("n")[0]
    costs = sc.table(sc.Sequential(a=sc.Linear(8), b=sc.Linear(2)), (n, 4))
    verdict = replace(sc.verify(costs, at=dict(n=5), targets=[]), failures={"tpu-v4": EVIL})
    page = opened(render([("net", costs)], verdicts={"v.json": verdict}))
    assert page.inner_text(".verdict strong") == str(verdict).splitlines()[0]
    assert EVIL in page.inner_text(".verdict .targets")
    assert page.locator("img").count() == 0
    page.click(".verdict a")
    page.wait_for_selector("body[data-settled='2']")
    assert page.input_value("#field-n") == "5"
    assert int(totals(page)["FLOPs (full, xla)"]) == verdict.flops
    page.locator(".verdict summary", has_text="Checks").click()
    assert page.locator(".verdict .said").first.locator("tbody tr").count() == len(verdict.checks)


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_in_one_direction(opened: Any, scheme: Any, width: int) -> None:
    page = opened(render([("net", MODELS["resnet"]()), ("other", sc.models.resnet18(n="n", r="r"))]), width=width)
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colours = page.evaluate(
        "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours]
    assert (bright[0] < bright[1]) == (scheme == "light")
    page.emulate_media(media="print")
    expect(page.locator("#link")).to_be_hidden()


def test_markup_in_names_is_text(opened: Any) -> None:
    n = sc.symbols("n")[0]
    costs = sc.table(sc.Sequential(**{EVIL.replace("/", "|"): sc.Linear(8), "b": sc.Linear(2)}), (n, 4))
    page = opened(render([(EVIL, costs)]))
    assert page.title().startswith("<script>")
    assert page.inner_text("h1") == EVIL
    assert EVIL.replace("/", "|") in page.inner_text("table.modules")
    assert page.locator("img").count() == 0
