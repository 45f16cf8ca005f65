"""The verbs of devices: ``devices``, ``estimate``, ``fits`` and ``solve``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import typer

from symcost.cli import completion
from symcost.cli.options import (
    Dtype,
    Given,
    Latency,
    MaybeOn,
    Model,
    Specs,
    Widths,
    takes_model,
    takes_widths,
    tell_usual,
)
from symcost.cli.output import Output, check_writable, checked, one_of, shows, write
from symcost.cli.tables import table_of
from symcost.costs.fresh import compared
from symcost.errors import SymcostError
from symcost.reading.choices import LatencyModel
from symcost.reading.numerals import assigned, short
from symcost.sources.source import check_names, unseen

SERVER, BOARD = "nvidia-a100-sxm-80gb", "stm32f746"
"""The devices of an estimate and of a fit where none is given."""
TextOrJson = Annotated[str, one_of("text", "json")]


def _check_efficiency(given: str) -> None:
    from symcost.estimate.time.efficiency import efficiency_of

    efficiency_of(given)


def _check_overhead(given: str) -> None:
    from symcost.estimate.time.latency import launch_of

    launch_of(given)


@shows(
    "symcost devices",
    "symcost devices stm32f746",
    "symcost devices my-board.toml --format json",
)
def devices(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[DEVICE]", help="One device with all its numbers.", autocompletion=completion.devices),
    ] = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """The devices with their memories; one device with every number and its source."""
    from symcost.devices import device, names
    from symcost.report.subjects import devices as report

    write(report.FORMATS[format_]([device(name)] if name else [device(each) for each in names()]), output)


@shows(
    "symcost estimate resnet50 --device nvidia-a100-sxm-80gb",
    "symcost estimate resnet50 --device jetson-agx-orin --dtype int8 --at n=8 --model fused",
    "symcost estimate examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false --arg classes=10 --at n=1 --at r=224",
)
@takes_model
@takes_widths
def estimate(
    given: Given,
    widths: Widths,
    target: Model,
    specs: Specs = None,
    device: MaybeOn = None,
    model: Latency = "roofline",
    efficiency: Annotated[
        str | None,
        typer.Option(
            help="Share of the peak that is reached, in (0, 1]; as measured unless given.",
            callback=checked(_check_efficiency),
        ),
    ] = None,
    overhead: Annotated[
        str | None,
        typer.Option(
            help="Seconds to launch a kernel, such as 5e-6; the device's own unless given.",
            callback=checked(_check_overhead),
        ),
    ] = None,
    format_: Annotated[str, one_of("text", "csv", "json")] = "text",
    output: Output = None,
) -> None:
    """Latency, what bounds it, energy and memory of a model on a device, exact; formulas where symbols are left."""
    from symcost.estimate.questions.estimate import estimate as estimated
    from symcost.report.subjects import estimates

    whole = estimated(
        table_of(given.source(target, specs)), target, device or SERVER, widths.dtype, weights=widths.weights,
        model=cast(LatencyModel, model), efficiency=efficiency, overhead=overhead, rule=widths.rule,
    )  # fmt: skip
    tell_usual(device, SERVER)
    write(estimates.FORMATS[format_](whole), output)


@shows(
    "symcost fits mcunet_in1 --device stm32f746 --dtype int8",
    "symcost fits mobilenet_v2 --device stm32f746 --dtype int8",
)
@takes_model
@takes_widths
def fits(
    given: Given,
    widths: Widths,
    target: Model,
    specs: Specs = None,
    device: MaybeOn = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """Every memory of a device against the bytes that the model keeps there. Exit code 1 when it does not fit."""
    from symcost.estimate.bytes.fit import fits as fitted
    from symcost.report.subjects import answers

    costs = table_of(given.source(target, specs))
    fit = fitted(costs, device or BOARD, widths.dtype, weights=widths.weights, rule=widths.rule)
    tell_usual(device, BOARD)
    write(answers.FITS[format_](fit), output)
    if not fit:
        raise typer.Exit(1)


@shows(
    "symcost solve gpt2 'params <= 25_000_000' --largest d --at d=d --at H=1",
    "symcost solve mcunet_in1 fits --largest r --at r=r --device stm32f746 --dtype int8",
    "symcost solve examples.gpt:GPT 'int32\\[n,N]' 'params <= 125e6' --largest d --at L=12 --at V=50257 --at H=12",
    "symcost solve resnet50 'latency <= 10 ms and fits' --largest n --at n=n --device nvidia-a100-sxm-80gb",
)
@takes_model
@takes_widths
def solve(
    given: Given,
    widths: Widths,
    target: Model,
    asked: Annotated[
        list[str],
        typer.Argument(
            metavar="[SPEC...] CONSTRAINT...",
            help="Inputs of a model to trace; constraints such as 'params <= 25 M and latency <= 10 ms', fits.",
        ),
    ],
    largest: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Find its largest value.")] = None,
    smallest: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Find its smallest value.")] = None,
    spec: Annotated[list[str] | None, typer.Option(metavar="SPEC", hidden=True)] = None,
    device: MaybeOn = None,
    model: Latency = "roofline",
    batch: Annotated[str, typer.Option(metavar="SYMBOL", help="What the throughput counts.")] = "n",
    within: Annotated[
        int | None, typer.Option(min=1, help="Try all sizes up to this, where bisection is not certified.")
    ] = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """The largest (or smallest) value of a symbol under constraints, exact; --at gives values to the other symbols."""
    from symcost.estimate.questions import constraint
    from symcost.estimate.questions.solve import solve as solved
    from symcost.estimate.questions.solve import wanted
    from symcost.report.subjects import answers

    first, given = given.without_number("upto")  # what --within was called
    within = within or first
    constraints = [text for text in asked if constraint.is_one(text)]
    others = [text for text in asked if text not in constraints]
    if stray := next((text for text in others if "[" not in text), None):
        raise SymcostError(f"{short(stray)} is no constraint, as 'params <= 25 M' is: the symbol goes behind --largest")
    source = given.source(target, [*(spec or ()), *others], point=True)
    if source.traced:  # what is asked is understood before the trace
        symbols = [*source.symbols(), *unseen(*constraints, largest or "", smallest or "")]
        check_names(source.left, symbols)
        wanted(symbols, largest, smallest)
        constraint.check(constraints, symbols)
    costs = table_of(replace(source, compare=False))  # what is compared is the answer
    solution = solved(
        costs, constraints, largest=largest, smallest=smallest, given=source.left,
        within=range(1, within + 1) if within else None, on=device, dtype=widths.dtype, weights=widths.weights,
        model=cast(LatencyModel, model), rule=widths.rule, batch=batch,
        check=bool(given.check),
    )  # fmt: skip
    if given.check is None:
        compared(costs, solution.at)
    write(answers.SOLUTIONS[format_](solution), output)


def _check_picture(output: Path) -> None:
    from symcost.report.pictures.plots import file_of

    file_of(output)
    check_writable(output)


@shows(
    "symcost plot mobilenet_v2 memory --dtype int8 --device stm32f746 --output memory.png",
    "symcost plot resnet50 latency --at n=n --device nvidia-a100-sxm-80gb --output latency.svg",
)
@takes_model
def plot(
    given: Given,
    target: Model,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="memory, roofline, latency or energy.")],
    specs: Specs = None,
    device: MaybeOn = None,
    dtype: Dtype = None,
    model: Latency = "roofline",
    batch: Annotated[str, typer.Option(metavar="SYMBOL", help="What the latency picture runs over.")] = "n",
    depth: Annotated[
        int | None, typer.Option(min=1, help="Parts of a module's path that a bar names; as many as have room.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A .png, .svg or .pdf file.", callback=checked(_check_picture)
        ),
    ] = None,
) -> None:
    """A picture of a model: memory per block, roofline, latency over the batch, energy."""
    from symcost.report.pictures.plots import check

    if output is None:
        raise SymcostError("a picture needs a file: give --output picture.png, .svg or .pdf")
    check(kind, output)
    source = given.source(target, specs)
    sizes = assigned(source.sized)
    costs = table_of(source)
    name = f"{target} at {sizes}" if sizes and not costs.point else target
    costs.plot(kind, device, dtype, batch=batch, model=cast(LatencyModel, model), depth=depth, name=name, file=output)
    write(f"the {kind} of {target} is in {output}", None)
