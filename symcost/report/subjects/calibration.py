"""What was measured, and predicted against measured times, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.formulas.units import physical


def measured(blocks: Sequence[Any], errors: Sequence[Any]) -> str:
    """One line per block with its rate, and how far the entry is off it."""
    lines = [
        f"{each.name:32} {physical(each.seconds, 's'):>9}  {physical(each.operations / each.seconds, 'op/s'):>12}  "
        f"{float(error):+7.0%}"
        for each, error in zip(blocks, errors, strict=True)
    ]
    mean = sum(map(abs, errors)) / len(errors)
    head = f"{'block':32} {'it adds':>9}  {'rate':>12}  {'entry':>7}"
    return "\n".join([head, *lines, f"mean error of the entry: {float(mean):.0%}"])


def compared(networks: Sequence[Any]) -> str:
    """One line per network, and the mean error by network and of all."""
    lines = [f"{'network':14} {'size':16} {'predicted':>10} {'measured':>10} {'error':>7}"]
    lines += [
        f"{each.name:14} {each.size:16} {physical(each.predicted, 's'):>10} {physical(each.measured, 's'):>10} "
        f"{float(each.error):7.0%}"
        for each in networks
    ]
    for name in dict.fromkeys(each.name for each in networks):
        errors = [each.error for each in networks if each.name == name]
        lines.append(f"mean error of {name}: {float(sum(errors) / len(errors)):.0%}")
    whole = [each.error for each in networks]
    return "\n".join([*lines, f"mean error: {float(sum(whole) / len(whole)):.0%}"])
