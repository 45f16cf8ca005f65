"""What a refusal is: one line of an error of ours that says what to do, of a readable length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from effort import EXPLORE, examples
from hypothesis import settings

import symcost as sc

TOWER = "((((9**64)**64)**64)**64)"
"""An integer that no machine holds."""
FUZZ = settings(max_examples=examples(40, 500), derandomize=not EXPLORE, deadline=None)
"""Of tests with random input."""


def one_line(make: Callable[[], Any]) -> str:
    """The error that something must raise, which is one line of a readable length."""
    with pytest.raises(sc.SymcostError) as caught:
        make()
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 700
    return said


def works_or_one_line(make: Callable[[], Any]) -> None:
    """It works, or raises an error of ours in one line of a readable length."""
    try:
        make()
    except sc.SymcostError as problem:
        said = str(problem)
    else:
        return
    assert said
    assert "\n" not in said
    assert len(said) < 900
