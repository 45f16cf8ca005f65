"""Ratios of benchmarks to their peers: kept beside the code, and compared with the last ones kept.

A time is of one machine on one day; a ratio of two times that were taken in one run says more. Measure, then compare, or keep
what was measured as what later runs are compared with::

    pytest tests/bench_*.py --benchmark-only --benchmark-json=run.json
    python tests/ratios.py run.json            # exit code 1 where a ratio is more than a quarter worse
    python tests/ratios.py run.json --record   # writes tests/ratios.json; rows that were not measured stay
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_suffix(".json")
WORSE = 1.25
"""A ratio that became so many times as large, or as small where more is better, is told as worse."""
Ratios = dict[str, dict[str, Any]]


def told(
    benchmark: Any, name: str, peer: str, ours: float, theirs: float, aim: float | None, more: bool = False
) -> float:
    """Keep a row in the benchmark's file and print it; ``more`` says that more is better. The ratio."""
    ratio = ours / theirs
    benchmark.extra_info.update(row=name, peer=peer, ratio=ratio, aim=aim, more=more)
    print(f"\n| {name} | {peer} | {ours:.3g} | {theirs:.3g} | {ratio:.3g} | {aimed(aim, more)} |")
    return ratio


def aimed(aim: float | None, more: bool) -> str:
    """The ratio aimed at, in words."""
    return "-" if aim is None else f"{'>=' if more else '<='} {aim:g}"


def measured(run: Mapping[str, Any]) -> Ratios:
    """The ratios in a file of ``--benchmark-json``, by row."""
    rows = [each["extra_info"] for each in run["benchmarks"] if "row" in each["extra_info"]]
    return {
        info["row"]: {
            "peer": info["peer"],
            "ratio": float(f"{info['ratio']:.3g}"),
            "aim": info["aim"],
            "more": info["more"],
        }
        for info in rows
    }


def change(before: float, now: float, more: bool) -> float:
    """How many times as bad a ratio is."""
    return before / now if more else now / before


def compared(kept: Ratios, now: Ratios) -> tuple[list[str], list[str]]:
    """A line for every row that was measured, and the rows that became worse."""
    lines, worse = ["| row | peer | last | now | times as bad | aim |", "|---|---|---|---|---|---|"], []
    for name, row in sorted(now.items()):
        before = kept.get(name)
        times = None if before is None else change(before["ratio"], row["ratio"], row["more"])
        if times is not None and times > WORSE:
            worse.append(name)
        last, by = ("-", "-") if before is None or times is None else (f"{before['ratio']:g}", f"{times:.2f}")
        aim = aimed(row["aim"], row["more"])
        lines.append(f"| {name} | {row['peer']} | {last} | {row['ratio']:g} | {by} | {aim} |")
    return lines, worse


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare a run with what is kept, or keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="file written by --benchmark-json")
    parser.add_argument("--record", action="store_true", help="keep its ratios for later runs")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where the last ratios are")
    given = parser.parse_args(arguments)
    now = measured(json.loads(given.run.read_text()))
    if not now:
        print(
            f"{given.run} has no ratios: write it with pytest tests/bench_*.py --benchmark-only --benchmark-json={given.run}"
        )
        return 2
    kept: Ratios = json.loads(given.kept.read_text()) if given.kept.exists() else {}
    lines, worse = compared(kept, now)
    print("\n".join(lines))
    if given.record:
        given.kept.write_text(json.dumps({**kept, **now}, indent=1, sort_keys=True) + "\n")
        return 0
    if worse:
        print(f"more than {WORSE} times as bad as the last time: {', '.join(worse)}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
