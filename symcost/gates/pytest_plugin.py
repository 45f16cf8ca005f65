"""The pytest plugin: fixtures ``assert_cost``, ``assert_budget`` and ``golden_cost``, and a marker for slow compiles.

::

    def test_my_model(assert_cost, assert_budget, golden_cost):
        costs = sc.trace(Model, "float32[n,N,d]")
        assert_cost(costs, macs="12*L*N*d**2*n + 2*L*N**2*d*n")
        assert_budget(costs, "model")    # the budgets of that name in symcost.toml or pyproject.toml
        golden_cost(costs)               # compared with costs/test_my_model.json beside the test, --symcost-update writes it
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--symcost-update``."""
    group = parser.getgroup("symcost")
    group.addoption("--symcost-update", action="store_true", help="write the golden files of golden_cost anew")


def pytest_configure(config: pytest.Config) -> None:
    """The marker: ``-m 'not slow_compile'`` leaves such tests out."""
    config.addinivalue_line(
        "markers", "slow_compile: asks a compiler and takes long; leave out with -m 'not slow_compile'"
    )


@pytest.fixture
def assert_cost() -> Callable[..., None]:
    """:func:`symcost.gates.testing.assert_cost`: totals are the formulas expected, shown term by term where not."""
    from symcost.gates.testing import assert_cost

    return assert_cost


@pytest.fixture
def assert_budget(request: pytest.FixtureRequest) -> Callable[..., None]:
    """:func:`symcost.gates.testing.assert_budget`, with the budgets nearest to pytest's root directory."""
    from symcost.gates.budgets.read import find
    from symcost.gates.testing import assert_budget

    def check(costs: Any, name: str, file: str | Path | None = None) -> None:
        assert_budget(costs, name, file or find(request.config.rootpath))

    return check


@pytest.fixture
def golden_cost(request: pytest.FixtureRequest) -> Callable[..., None]:
    """:func:`symcost.gates.testing.assert_golden` with ``costs/<test>.json`` beside the test, or ``costs/<name>.json``."""
    from symcost.gates.testing import assert_golden

    def check(costs: Any, name: str | None = None) -> None:
        file = re.sub(r"[^\w.-]+", "_", name or request.node.name) + ".json"
        assert_golden(costs, request.path.parent / "costs" / file, bool(request.config.getoption("symcost_update")))

    return check
