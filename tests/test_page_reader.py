"""What a reader does with the page: moves sliders, chooses a device, shares a link, reads it on a phone and on paper."""

from __future__ import annotations

import json
import random
import re
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from browsing import MODELS, drag, expected, move, resnet_page, totals
from effort import also_campaign, examples, needed, rows

import symcost as sc
from symcost.devices import device
from symcost.report.page.render import render

expect = needed("playwright.sync_api", "the page in a browser").expect


@cache
def gpt_page() -> str:
    """GPT-2, whose width is a multiple of its heads."""
    return render([("gpt", MODELS["gpt"]())], at={"d": 768, "H": 12, "N": 128, "L": 12, "n": 1})


def card(page: Any, key: str) -> str:
    """The exact value behind a number in front."""
    return page.get_attribute(f"[data-card={key}] .value", "data-value")


@pytest.mark.parametrize(("name", "wanted"), [
    ("d", 1), ("d", 769), ("d", 2000), ("H", 7), ("H", 31), ("L", 5),
    *(pytest.param(*row, marks=pytest.mark.campaign) for row in (("d", 100), ("d", 4096), ("H", 5), ("n", 3))),
])  # fmt: skip
def test_a_slider_stops_at_the_nearest_value_inside_the_domain(name: str, wanted: int, opened: Any) -> None:
    costs, page = MODELS["gpt"](), opened(gpt_page())
    point = {"d": 768, "H": 12, "N": 128, "L": 12, "n": 1}
    stopped = drag(page, name, wanted)
    inside = [value for value in range(1, 4097) if costs.domain.problem({**point, name: value}) is None]
    assert abs(stopped - wanted) == min(abs(value - wanted) for value in inside)
    assert stopped in inside
    assert page.input_value(f"#slider-{name}") == str(stopped)
    expect(page.locator("#problem")).to_be_hidden()
    assert totals(page) == expected(costs, {**point, name: stopped})
    assert card(page, "macs") == str(costs.subs(**{**point, name: stopped}).macs)


def test_arrow_keys_go_from_one_value_inside_to_the_next(opened: Any) -> None:
    page = opened(gpt_page())
    page.focus("#slider-d")
    found = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        found.append(int(page.input_value("#field-d")))
    assert found == [780, 792, 780, 768, 756]
    page.focus("#slider-H")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#field-H") == "14"  # the next divisor of 756


def test_usual_values_are_a_click_away_and_those_outside_cannot_be_chosen(opened: Any) -> None:
    page = opened(gpt_page())
    row = page.locator(".slider", has=page.locator("#field-d"))
    expect(row.get_by_role("button", name="1024")).to_be_disabled()
    assert row.get_by_role("button", name="1024").get_attribute("title") == "outside the domain: d % H == 0"
    expect(row.get_by_role("button", name="768")).to_have_attribute("aria-pressed", "true")
    page.locator(".slider", has=page.locator("#field-H")).get_by_role("button", name="16").click()
    row.get_by_role("button", name="1024").click()
    page.wait_for_selector("body[data-draws='3']")
    assert totals(page) == expected(MODELS["gpt"](), {"d": 1024, "H": 16, "N": 128, "L": 12, "n": 1})
    assert (
        page.evaluate("[...document.querySelectorAll('#usual-d option')].map((each) => each.value)").count("768") == 1
    )
    assert row.inner_text().startswith("d width")


def test_a_typed_value_outside_is_told_with_those_that_would_do(opened: Any) -> None:
    page = opened(gpt_page())
    move(page, d=100)
    expect(page.locator("#problem")).to_contain_text("Outside the domain: d % H == 0 must hold.")
    assert page.locator("#problem button").all_inner_texts() == ["d = 96", "d = 108", "H = 10", "H = 20"]
    page.click("#problem button >> nth=1")
    expect(page.locator("#problem")).to_be_hidden()
    assert page.input_value("#field-d") == "108"


def test_a_link_restores_values_device_and_metric_after_a_reload(opened: Any) -> None:
    page = opened(gpt_page())
    drag(page, "d", 1000)
    page.select_option("#device", "google-tpu-v5e")
    page.select_option("#metric", label="FLOPs (full)")
    page.wait_for_function("() => location.hash.includes('.metric')")
    fragment = page.evaluate("location.hash")
    before = totals(page), card(page, "latency")
    assert fragment == "#d=996&L=12&N=128&n=1&H=12&.device=google-tpu-v5e&.dtype=bfloat16&.metric=flops" or sorted(
        fragment[1:].split("&")
    ) == sorted(["d=996", "L=12", "N=128", "n=1", "H=12", ".device=google-tpu-v5e", ".dtype=bfloat16", ".metric=flops"])
    page.reload()
    page.wait_for_selector("body[data-ready=yes]")
    assert (totals(page), card(page, "latency")) == before
    again = opened(gpt_page(), fragment)
    assert (totals(again), card(again, "latency")) == before
    assert again.input_value("#metric") == "flops"
    assert opened(gpt_page(), "#.device=none&.metric=none").input_value("#device") == "nvidia-a100-sxm-80gb"


@pytest.mark.parametrize("name", rows(
    ["nvidia-h100-sxm", "stm32f746", "stm32f412", "tiny-ai", "google-edge-tpu", "google-tpu-v6e"],
    {"nvidia-h100-sxm", "stm32f412", "google-edge-tpu"},
))  # fmt: skip
def test_weights_fit_and_throughput_are_those_of_the_library_on_any_device(name: str, opened: Any) -> None:
    costs, point = MODELS["rounded"](), {"n": 2, "r": 160}
    page = opened(render([("net", costs)], at=point))
    page.select_option("#device", name)
    page.wait_for_selector("body[data-draws='2']")
    for dtype in page.evaluate("[...document.querySelectorAll('#dtype option')].map((each) => each.value)"):
        drawn = page.get_attribute("body", "data-draws")
        if page.input_value("#dtype") != dtype:
            page.select_option("#dtype", dtype)
            page.wait_for_function(f"() => document.body.dataset.draws !== '{drawn}'")
        at = costs.subs(**point)
        used = sc.memory(at, dtype)
        assert card(page, "weights") == str(used.held("weights"))
        assert card(page, "activations") == str(used.held("activations"))
        said = {
            key: page.get_attribute(f"[data-estimate=fit-{key}] td", "data-value")
            for key in (level.name for level in device(name).memories if level.holds)
        }
        try:
            limits = sc.fits(at, name, dtype).limits
        except sc.SymcostError:
            limits = ()
        assert not limits or said == {limit.memory: "true" if limit else "false" for limit in limits}
        assert not limits or card(page, "fit") == ("true" if all(limits) else "false")
        try:
            seconds = sc.latency(costs, name, dtype, model="fused").value(**point)
        except sc.SymcostError:
            assert page.inner_text("[data-estimate=latency] td").startswith(("device ", "no peak "))
        else:
            assert Fraction(card(page, "latency")) == seconds
            assert Fraction(page.get_attribute("[data-estimate=throughput] td", "data-value")) == 2 / seconds


@pytest.mark.parametrize("width", [390, 1280])
def test_the_numbers_in_front_are_on_the_first_screen(width: int, opened: Any) -> None:
    page = opened(gpt_page(), width=width)
    boxes = page.evaluate("[...document.querySelectorAll('.card')].map((each) => each.getBoundingClientRect().bottom)")
    assert len(boxes) == 6
    assert max(boxes) < 500
    assert page.inner_text("[data-card=macs] .value").endswith(" G")


def test_nothing_stands_in_the_way_on_a_phone(opened: Any) -> None:
    page = opened(gpt_page(), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    stuck = """[...document.querySelectorAll('body *')].filter((each) => getComputedStyle(each).display !== 'none'
               && ['fixed', 'sticky'].includes(getComputedStyle(each).position)).map((each) => each.offsetHeight)"""
    assert page.evaluate(stuck) == []
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector("#here.away")
    assert sum(page.evaluate(stuck)) < 0.06 * 900
    expect(page.locator("#here")).to_contain_text("MACs · ")
    page.click("#here")
    page.wait_for_function("() => document.getElementById('symbols').getBoundingClientRect().top > -20")


def test_long_formulas_scroll_inside_their_box_from_their_first_letter(opened: Any) -> None:
    page = opened(resnet_page(), width=390)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    boxes = page.evaluate(
        "[...document.querySelectorAll('.formula')].map((each) => ({ left: each.getBoundingClientRect().left,"
        " first: each.firstElementChild.getBoundingClientRect().left, wide: each.scrollWidth > each.clientWidth,"
        " whole: each.firstElementChild.getBoundingClientRect().width <= each.scrollWidth + 1 }))"
    )
    assert any(box["wide"] for box in boxes)
    assert all(box["first"] >= box["left"] and box["whole"] for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_slowest_kernels_are_named_and_macs_come_first(opened: Any) -> None:
    costs = MODELS["resnet"]()
    page = opened(resnet_page())
    steps = sc.latency(costs.subs(n=1, r=224, C=1000), "nvidia-a100-sxm-80gb", "float32", model="fused").steps
    slowest = sorted(steps, key=lambda step: -Fraction(str(step.seconds)))[:5]
    named = page.locator("table.slowest tbody th").all_inner_texts()
    assert named[0] == slowest[0].kernel.name
    assert set(named) <= {
        step.kernel.name for step in steps if Fraction(str(step.seconds)) >= Fraction(str(slowest[-1].seconds))
    }
    assert page.locator("#roofline circle").count() > 10
    assert page.locator("table.modules thead th").nth(1).inner_text() == "MACs (full)"
    assert page.locator("#totals tbody th").first.inner_text().startswith("MACs")
    assert page.locator("#metric option").first.inner_text() == "MACs (full)"


@pytest.mark.parametrize("models", [["resnet"], ["gpt"], ["resnet", "rounded"]])
def test_the_file_holds_no_address_of_another_host(models: list[str]) -> None:
    html = render([(name, MODELS[name]()) for name in models])
    assert re.findall(r"https?:|//[a-z][a-z0-9-]*\.[a-z]{2,}", html) == []
    assert "unsafe-eval" not in html
    assert len(html) < 500_000
    assert {"name", "peak", "bandwidth", "memories", "source"} <= set(json.loads(
        html.partition('id="data">')[2].partition("</script>")[0])["devices"][0])  # fmt: skip


LAWS = {
    "gpt": MODELS["gpt"],
    "grouped": lambda: sc.table(sc.Conv2d(c_o="c", k=3, g="g"), ("n", "c", "h", "w")),
    "bounded": MODELS["resnet"],
}


@also_campaign
@pytest.mark.parametrize("name", LAWS)
def test_wherever_sliders_are_put_the_point_stays_inside_and_as_near_as_it_can(name: str, opened: Any) -> None:
    costs = LAWS[name]()
    page = opened(render([(name, costs)]))
    symbols = json.loads(page.text_content("#data"))["symbols"]
    point = {s["name"]: int(s["start"]) for s in symbols}
    draw = random.Random(f"{name} 7")
    for _ in range(examples(25, 300)):
        s = draw.choice(symbols)
        wanted = draw.randrange(s["low"], s["high"] + 1, s["step"])
        stopped = page.evaluate(
            """([name, value]) => {
                const slider = document.getElementById(`slider-${name}`);
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
                return document.getElementById(`field-${name}`).value;
            }""",
            [s["name"], str(wanted)],
        )
        near = abs(int(stopped) - wanted)
        point[s["name"]] = int(stopped)
        assert costs.domain.problem(point) is None
        for value in range(max(s["low"], wanted - near + 1), min(s["high"], wanted + near - 1) + 1, s["step"]):
            assert costs.domain.problem({**point, s["name"]: value}) is not None
    page.wait_for_selector("body[data-settled]")
    expect(page.locator("#problem")).to_be_hidden()


def test_what_a_model_does_outside_of_its_modules_is_named(opened: Any) -> None:
    """GPT-2's output shares the embedding's table: the product is of no module, and 27 % of all."""
    costs = MODELS["gpt"]()
    page = opened(gpt_page())
    bar = page.locator("#bars-0 li", has_text="attend")
    assert bar.get_attribute("data-value") == str(50257 * 768 * 128)
    assert (
        sc.CostTable([row for row in costs.subs(d=768, H=12, N=128, L=12, n=1).rows if not row.path]).macs
        == 50257 * 768 * 128
    )
