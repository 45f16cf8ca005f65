"""Multiples of a size that several decisions ask for are told as one condition, which says the same."""

import itertools

import pytest

from symcost.formulas.form import Form
from symcost.tracing.domain.domain import Domain
from symcost.tracing.evidence.guard import Guard, all_hold, guard, multiples_once

d, H = Form.symbol("d"), Form.symbol("H")


def remainder(size: Form, number: int, op: str = "==", value: int = 0) -> Guard:
    """That a size leaves a remainder, or does not."""
    found = guard(size - number * (size // number), op, value)
    assert found is not None
    return found


ASKED = {
    "even": remainder(d, 2),
    "half even": remainder(d // 2, 2),
    "third": remainder(d, 3),
    "third of a half": remainder(d // 2, 3),
    "odd": remainder(d, 2, "!="),
    "odd quarter": remainder(d // 4, 2, "!="),
    "wide": Guard(d, ">=", Form.constant(9)),
    "heads": guard(d - H * (d // H), "==", 0),
}


@pytest.mark.parametrize("step", [1, 2, 6])
def test_the_same_widths_meet_what_is_told_once(step: int) -> None:
    for names in itertools.combinations(ASKED, 3):
        guards = [each for name in names if (each := ASKED[name]) is not None]
        found, steps = multiples_once(guards, {"d": step})
        assert len(found) <= len(guards)
        for width in range(step, 100, step):
            point = {"d": width, "H": 3}
            assert all_hold(guards, point) == all_hold(found, point), (names, width)
            assert not all_hold(found, point) or width % steps["d"] == 0


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        (Domain(("d",), guards=(ASKED["even"], ASKED["half even"])), ["d % 4 == 0"]),
        (Domain(("d",), whole=(d / 4,), guards=(ASKED["even"], ASKED["half even"])), ["d % 4 == 0"]),
        (Domain(("d",), whole=(d / 2,), guards=(ASKED["half even"],)), ["d % 4 == 0"]),
        (Domain(("d",), steps={"d": 2}, guards=(ASKED["half even"], ASKED["third"])), ["d % 12 == 0"]),
        (Domain(("d", "H"), whole=(d / H,), guards=(ASKED["even"],)), ["d % H == 0", "d % 2 == 0"]),
    ],
)
def test_a_domain_tells_a_multiple_once(domain: Domain, told: list[str]) -> None:
    assert domain.conditions() == told
