"""The lectures' question: with equal parameters, shallow and wide or narrow and deep, which is more hardware efficient?

Layers in closed form, solved for equal parameters; activations, MACs and the lectures' latency compared, one plot.

    python examples/wide_or_deep.py [plot.svg]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import sympy

import symcost as sc

c, L, P, r = sc.symbols("c L P r")
R, BUDGET = 32, 1_179_648
OPS, BANDWIDTH = 275 * 10**12 // 2, 2048 * 10**8
"""Dense int8 operations (half of the sparse 275 TOPS) and bytes per second: NVIDIA, Jetson AGX Orin 64 GB data sheet."""


def network() -> sc.Layer:
    """``L`` convolutions of ``c`` channels at one resolution, each beside its input."""
    return sc.Repeat(sc.Residual(sc.Sequential(sc.Conv2d(c_o=c, k=3, p=1, bias=False), sc.ReLU())), L)


@dataclass(frozen=True)
class Design:
    """One network with its exact costs."""

    width: int
    depth: int
    params: int
    macs: int
    activations: int
    seconds: float


def closed_forms() -> dict[str, sympy.Expr]:
    """Costs of the network with the width that ``P`` parameters leave, in ``P``, depth ``L`` and resolution ``r``."""
    table = sc.table(network(), (1, c, r, r))
    (width,) = sympy.solve(sympy.Eq(table.params, P), c)
    found = {"width": width, "MACs": table.macs, "activations": table.activations, "peak": table.peak("textbook")}
    return {name: sympy.powsimp(sympy.expand(form.subs(c, width))) for name, form in found.items()}


def designs() -> list[Design]:
    """Every power of two as a width whose depth takes the whole budget exactly."""
    table = sc.table(network(), (1, c, r, r))
    found = []
    for width in (2**exponent for exponent in range(4, 10)):
        depth, rest = divmod(BUDGET, table.params.subs({c: width, L: 1}))
        if depth and not rest:
            at = table.subs(c=width, L=int(depth), r=R)
            found.append(Design(width, int(depth), at.params, at.macs, at.activations, latency(at, int(depth))))
    return found


def latency(at: sc.CostTable, depth: int) -> float:
    """The lectures' model, layer after layer: the larger of computing and moving weights, input and output (int8)."""
    compute = at.total("textbook").flops / depth / OPS
    moved = at.params / depth + 2 * at.activations / (depth + 1)
    return depth * max(compute, float(moved) / BANDWIDTH)


def plot(found: list[Design]) -> str:
    """An SVG: activations and latency over depth, each against its largest, both axes logarithmic in powers of two."""
    size, margin = 360, 40
    first, last = found[-1].depth.bit_length(), found[0].depth.bit_length()

    def line(values: list[float], color: str) -> str:
        points = " ".join(
            f"{margin + (d.depth.bit_length() - first) * size / (last - first):.0f},{margin + size * (1 - v / max(values)):.0f}"
            for d, v in zip(found, values, strict=True)
        )
        return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'

    labels = "".join(
        f'<text x="{margin + (d.depth.bit_length() - first) * size / (last - first):.0f}" y="{size + margin + 20}" '
        f'text-anchor="middle">{d.depth} x {d.width}</text>'
        for d in found
    )
    lines = line([d.activations for d in found], "#c33") + line([d.seconds for d in found], "#36c")
    legend = f'<text x="{margin}" y="20" fill="#c33">activations</text><text x="{margin + 120}" y="20" fill="#36c">latency</text>'
    box = size + 2 * margin
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{box}" height="{box}" font-size="12">{lines}{labels}{legend}</svg>'


def main(arguments: list[str]) -> None:
    """Formulas, the table, and the plot where a file is named."""
    for name, form in closed_forms().items():
        print(f"{name:12} {form}")
    found = designs()
    print(f"\n{'depth':>6} {'width':>6} {'params':>10} {'MACs':>14} {'activations':>12} {'latency':>10}")
    slowest = max(d.seconds for d in found)
    for d in found:
        bar = "#" * round(30 * d.seconds / slowest)
        print(
            f"{d.depth:6} {d.width:6} {d.params:10,} {d.macs:14,} {d.activations:12,} {d.seconds * 1e6:7.1f} us {bar}"
        )
    print("\nequal parameters are equal MACs; activations grow with the root of the depth: shallow and wide moves less")
    if arguments:
        Path(arguments[0]).write_text(plot(found))


if __name__ == "__main__":
    main(sys.argv[1:])
