"""The lectures' question: with equal parameters, shallow and wide or narrow and deep, which is more hardware efficient?

Layers in closed form, solved for equal parameters; activations, MACs and the latency on four devices compared, one plot.

    python examples/wide_or_deep.py [plot.png]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import sympy

import symcost as sc

c, L, P, r = sc.symbols("c L P r")
R, BUDGET = 32, 1_179_648
DEVICES = ("nvidia-l4", "jetson-agx-orin", "arm-cortex-a76-pixel-4", "stm32f767")
"""From a server to a microcontroller: ``symcost devices NAME`` shows their numbers and where they were published."""


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
    seconds: dict[str, Fraction]


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
            found.append(Design(width, int(depth), at.params, at.macs, at.activations, latencies(at)))
    return found


def latencies(at: sc.CostTable) -> dict[str, Fraction]:
    """Layer after layer the larger of computing and moving, in int8, on every device."""
    return {name: sc.latency(at, name, "int8", model="fused").value() for name in DEVICES}


def plot(found: list[Design], file: Path) -> None:
    """Activations, and latencies over the widest network's, against depth; both axes in powers of two."""
    from symcost.report.pictures.style import DOTS, blank, plain
    from symcost.system.pictures import save

    figure = blank((8.0, 4.5))
    left, right = figure.subplots(1, 2)
    depths = [design.depth for design in found]
    left.plot(depths, [design.activations / 1024 for design in found], marker="o", color="black")
    plain(left, "activations, thousands of 1024")
    for name, marker in zip(DEVICES, "osD^", strict=True):
        widest = found[-1].seconds[name]
        right.plot(depths, [float(design.seconds[name] / widest) for design in found], marker=marker, label=name)
    plain(right, f"latency in int8 over that of {found[-1].depth} x {found[-1].width}")
    right.legend(frameon=False, fontsize="small")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(depths, [f"{design.depth} x {design.width}" for design in found], rotation=45, fontsize="small")
        axes.set_xlabel("depth x width, 1,179,648 parameters each")
        axes.set_ylim(bottom=0)
    save(figure, file, file.suffix, dpi=DOTS)


def main(arguments: list[str]) -> None:
    """Formulas, the table, and the plot where a file is named."""
    for name, form in closed_forms().items():
        print(f"{name:12} {form}")
    found = designs()
    print(
        f"\n{'depth':>6} {'width':>6} {'params':>10} {'MACs':>14} {'activations':>12}"
        + "".join(f"{n:>24}" for n in DEVICES)
    )
    for d in found:
        times = "".join(f"{float(d.seconds[name]) * 1e3:21.3f} ms" for name in DEVICES)
        print(f"{d.depth:6} {d.width:6} {d.params:10,} {d.macs:14,} {d.activations:12,}{times}")
    print(
        "\nequal parameters are equal MACs; activations grow with the root of the depth: where a device waits for memory,"
    )
    print("shallow and wide is faster; where it waits for its arithmetic, as a microcontroller does, both are alike")
    if arguments:
        plot(found, Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
