"""Which closed forms can be the largest."""

from __future__ import annotations

import pytest

from symcost.formulas.compared.dominance import dominates, undominated
from symcost.formulas.form import Form

n, d = Form.symbol("n"), Form.symbol("d")
POINTS = [{"n": 2, "d": 3}, {"n": 2000, "d": 3}, {"n": 2, "d": 3000}]


@pytest.mark.parametrize(
    ("large", "small", "holds"),
    [
        (3 * n * d, n * d + n, True),
        (n, d, False),
        (n * d, n, True),
        (n + 1, n, True),
        (n, n + 1, False),
        (2 * n, n + d, False),
    ],
)
def test_one_form_dominates_another_for_all_positive_integers(large: Form, small: Form, holds: bool) -> None:
    assert dominates(large, small) is holds


@pytest.mark.parametrize(
    ("forms", "kept"),
    [
        ([n, 2 * n, n], {2 * n}),
        ([n, d], {n, d}),
        ([2 * n, 2 * d, n + d], {2 * n, 2 * d}),
        ([3, 5], {Form.constant(5)}),
    ],
)
def test_only_forms_that_can_be_the_largest_are_kept(forms: list[Form], kept: set[Form]) -> None:
    assert set(undominated(forms, POINTS)) == kept
