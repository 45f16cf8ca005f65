"""No saved file lies: one that does not add up is refused though it is signed, and one mutated anywhere is read or refused.

``SYMCOST_EXAMPLES=5000`` explores that many fresh examples instead of the fixed ones of every day.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from effort import also_campaign
from hypothesis import given
from hypothesis import strategies as st
from refusals import FUZZ, TOWER, one_line, works_or_one_line

import symcost as sc
from symcost.cli.main import main
from symcost.costs.cost import Cost
from symcost.costs.rows import Row
from symcost.costs.saved.format import digest
from symcost.costs.size import model_size
from symcost.costs.table import CostTable
from symcost.reading.numerals import MAX_BITS
from symcost.report import FORMATS
from symcost.report.formats.json import document


def _saved(tmp_path: Path, change: Callable[[dict[str, Any]], Any], costs: Any = None) -> Path:
    """A saved table that was changed and signed again."""
    found = json.loads(json.dumps(document(costs or sc.models.alexnet(n="n"))))
    change(found)
    found["digest"] = digest(found)
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(found))
    return path


def _put(*place: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for part in place[:-1]:
            found = found[part]
        found[place[-1]] = value

    return change


FALSE = {
    "a total": (_put("conventions", "full", "macs", value="714188480*n + 1"), "the total of macs under full is"),
    "a total under xla": (_put("conventions", "xla", "flops", value="7*n"), "the total of flops under xla is"),
    "a total of another table": (_put("totals", "macs", value="7"), "macs is 7 among its totals"),
    "a row": (_put("rows", 1, "times", value="2"), "and the sum of its rows"),
    "a row less": (lambda d: d["rows"].pop(), "and the sum of its rows"),
    "a tower": (_put("rows", 1, "times", value=TOWER), f"has more than {MAX_BITS} bits"),
    "many digits": (_put("rows", 1, "times", value="9" * 10**6), "has an integer of 1000000 digits"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FALSE)
def test_a_file_that_does_not_add_up_is_refused_though_it_is_signed(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, message = FALSE[fault]
    path = _saved(tmp_path, change)
    assert message in one_line(lambda: sc.load(path))
    assert main(["table", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_table_without_a_domain_adds_up_too(tmp_path: Path) -> None:
    costs = CostTable([Row(path="a", op="b", cost=Cost(macs=3))])
    assert sc.load(_saved(tmp_path, lambda found: None, costs)).macs == 3
    one_line(lambda: sc.load(_saved(tmp_path, _put("conventions", "full", "macs", value="4"), costs)))


def test_a_path_of_many_parts_is_reported(tmp_path: Path) -> None:
    deep = "/".join(["a"] * 100_000)
    costs = sc.load(_saved(tmp_path, _put("rows", 3, "path", value=deep)))
    for name in FORMATS:
        assert FORMATS[name](costs, depth=None)
        assert FORMATS[name](costs, depth=3)
    assert costs.by_path()
    assert costs.by_path(3)
    assert model_size(costs, {"conv1": 8, "": 4}) != model_size(costs, 4)


@also_campaign
@FUZZ
@given(st.integers(0, 2**32))
def test_a_saved_file_that_was_mutated_anywhere_is_read_or_refused(seed: int) -> None:
    draw = random.Random(seed)
    values = [None, True, -1, 3, 1.5, "", "x", TOWER, "n", "1/0", [], {}, "9" * 5000, ["n"], {"a": "n"}]

    def change(found: Any) -> None:
        """Another value at a random place."""
        while True:
            keys = list(found) if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else []
            if not keys:
                return
            key = draw.choice(list(keys))
            inner = found[key]
            if not isinstance(inner, dict | list) or not inner or draw.random() < 0.2:
                found[key] = draw.choice(values)
                return
            found = inner

    with tempfile.TemporaryDirectory() as folder:
        path = _saved(Path(folder), change, MUTATED)
        works_or_one_line(lambda: (str(costs := sc.load(path)), costs.subs(n=2)))


MUTATED = sc.table(sc.Sequential(sc.Linear(c_o=8), sc.ReLU(), sc.Linear(c_o=3)), ("n", 4))
