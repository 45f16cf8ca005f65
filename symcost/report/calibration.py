"""What was measured, and predicted against measured times, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.report.units import physical


def measured(found: Sequence[Any]) -> str:
    """One line per kernel with its rate."""
    lines = []
    for each in found:
        unit = {"copy": "B/s", "weights": "B/s", "launch": ""}.get(each.kind, "op/s")
        rate = physical(each.rate, unit) if unit else ""
        lines.append(f"{each.kind:12} {' x '.join(map(str, each.shape)):20} {physical(each.seconds, 's'):>9}  {rate}")
    return "\n".join(line.rstrip() for line in lines)


def compared(found: Sequence[Any]) -> str:
    """One line per network, and the mean error by network and of all."""
    lines = [f"{'network':14} {'size':16} {'predicted':>10} {'measured':>10} {'error':>7}"]
    lines += [
        f"{each.name:14} {each.size:16} {physical(each.predicted, 's'):>10} {physical(each.measured, 's'):>10} "
        f"{float(each.error):7.0%}"
        for each in found
    ]
    for name in dict.fromkeys(each.name for each in found):
        errors = [each.error for each in found if each.name == name]
        lines.append(f"mean error of {name}: {float(sum(errors) / len(errors)):.0%}")
    whole = [each.error for each in found]
    return "\n".join([*lines, f"mean error: {float(sum(whole) / len(whole)):.0%}"])
