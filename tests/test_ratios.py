"""Ratios of benchmarks: read from a run, kept, and compared with those kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import ratios


def run(folder: Path, **rows: Mapping[str, Any]) -> Path:
    """A file as ``--benchmark-json`` writes it, with one benchmark that has no ratio."""
    measured = [
        {"extra_info": {"row": name, "peer": "flax", "aim": 0.5, "more": False, **row}} for name, row in rows.items()
    ]
    file = folder / "run.json"
    file.write_text(json.dumps({"machine_info": {"node": "secret"}, "benchmarks": [{"extra_info": {}}, *measured]}))
    return file


def test_what_is_kept_is_ratios_alone_and_rows_that_were_not_measured_stay(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert ratios.main([str(run(tmp_path, a={"ratio": 0.123456})), "--record", "--kept", str(kept)]) == 0
    assert ratios.main([str(run(tmp_path, b={"ratio": 2.0})), "--record", "--kept", str(kept)]) == 0
    row = {"peer": "flax", "aim": 0.5, "more": False}
    assert json.loads(kept.read_text()) == {"a": {**row, "ratio": 0.123}, "b": {**row, "ratio": 2.0}}


@pytest.mark.parametrize(
    ("before", "now", "more", "code"),
    [(0.4, 0.5, False, 0), (0.4, 0.51, False, 1), (0.4, 0.1, False, 0), (200, 160, True, 0), (200, 159, True, 1)],
)
def test_a_ratio_that_is_more_than_a_quarter_worse_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: float, now: float, more: bool, code: int
) -> None:
    kept = tmp_path / "kept.json"
    ratios.main([str(run(tmp_path, a={"ratio": before, "more": more})), "--record", "--kept", str(kept)])
    capsys.readouterr()
    assert ratios.main([str(run(tmp_path, a={"ratio": now, "more": more})), "--kept", str(kept)]) == code
    out = capsys.readouterr().out
    assert (
        f"| a | flax | {before:g} | {now:g} | {ratios.change(before, now, more):.2f} | {'>=' if more else '<='} 0.5 |"
        in out
    )
    assert ("more than 1.25 times as bad as the last time: a" in out) == bool(code)


def test_a_new_row_is_told_and_never_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ratios.main([str(run(tmp_path, a={"ratio": 9.0})), "--kept", str(tmp_path / "none.json")]) == 0
    assert "| a | flax | - | 9 | - | <= 0.5 |" in capsys.readouterr().out


def test_a_run_without_ratios_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ratios.main([str(run(tmp_path)), "--kept", str(tmp_path / "none.json")]) == 2
    assert "has no ratios: write it with pytest" in capsys.readouterr().out


def test_what_is_kept_here_names_no_machine() -> None:
    rows = json.loads(ratios.KEPT.read_text())
    assert rows
    assert all(set(row) == {"peer", "ratio", "aim", "more"} and row["ratio"] > 0 for row in rows.values())
