"""Models of other people's packages: answered without an option, and equal to fresh traces at two far joint points."""

from __future__ import annotations

import pytest
from effort import needs, repeated
from model_table import equal, traced
from zoo import flaim_models, hugging

ROWS = {
    f"{table.__name__.partition('.')[2]}-{case.name}": case for table in (hugging, flaim_models) for case in table.CASES
}
DAILY = {
    "hugging-distilbert", "hugging-vit", "hugging-clip_vision", "flaim_models-nest", "flaim_models-vgg11",
    "flaim_models-convmixer", "flaim_models-resnet18", "flaim_models-vit", "flaim_models-cait", "flaim_models-attnax_vit",
}  # fmt: skip
"""Rows of every run; the campaign tries all others."""
REPEATED = {
    "hugging-roberta": "hugging-bert", "hugging-electra": "hugging-albert", "hugging-roberta_prelayernorm": "hugging-opt",
    "hugging-big_bird": "hugging-bert", "hugging-bart": "hugging-t5",
    "flaim_models-convnext": "flaim_models-convnext_v2",
    "hugging-blenderbot": "hugging-t5", "hugging-roformer": "hugging-gptj",
}  # fmt: skip
"""Models written after another one, which shows their kind: the whole campaign alone tries them."""
PACKAGES = {
    name: hugging.PACKAGE if name.startswith("hugging") else flaim_models.PACKAGES.get(case.name, "flaim")
    for name, case in ROWS.items()
}


def marks(name: str) -> list[pytest.MarkDecorator]:
    """Which runs try a row, and the package that it needs."""
    if name in REPEATED:
        return [needs(PACKAGES[name], f"the row {name}"), *repeated(f"in {REPEATED[name]}")]
    return [needs(PACKAGES[name], f"the row {name}"), *([] if name in DAILY else [pytest.mark.campaign])]


PARAMETERS = [pytest.param(name, marks=marks(name)) for name in ROWS]


def test_ten_models_are_of_every_run() -> None:
    assert len(DAILY) == 10
    assert ROWS.keys() >= DAILY


def test_what_is_repeated_is_shown_by_rows_that_are_tried() -> None:
    assert ROWS.keys() >= {*REPEATED, *REPEATED.values()}
    assert not REPEATED.keys() & (DAILY | {*REPEATED.values()})


@pytest.mark.filterwarnings("ignore")  # of packages as they were published, which are not ours to mend
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_model_of_somebody_else_s_is_answered_without_options_and_equals_fresh_traces(name: str) -> None:
    case = ROWS[name]
    assert not case.options
    assert equal(case, traced(case)) == "equal"
