"""The verbs of devices: ``devices``, ``estimate``, ``fits`` and ``solve``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.output import Output, check_writable, write
from symcost.cli.target import table_of
from symcost.errors import SymcostError
from symcost.reading.nearest import known_format
from symcost.sources.texts import integers

DEVICES_EXAMPLES = """[bold]Examples[/bold]

symcost devices

symcost devices stm32f746

symcost devices my-board.toml --format json"""

ESTIMATE_EXAMPLES = """[bold]Examples[/bold]

symcost estimate resnet50 --device nvidia-a100-sxm-80gb

symcost estimate resnet50 --device jetson-agx-orin --dtype int8 --set n=8 --model fused

symcost estimate examples.resnet:resnet50 'float32\\[n,r,r,3]' --call train=false --arg classes=10 --set n=1 --set r=224"""

FITS_EXAMPLES = """[bold]Examples[/bold]

symcost fits mcunet_in1 --device stm32f746 --dtype int8

symcost fits mobilenet_v2 --device stm32f746 --dtype int8"""

SOLVE_EXAMPLES = """[bold]Examples[/bold]

symcost solve gpt2 'params <= 25_000_000' --largest d --set d=d --set H=1

symcost solve mcunet_in1 fits --largest r --set r=r --device stm32f746 --dtype int8

symcost solve resnet50 'latency <= 10 ms and fits' --largest n --set n=n --device nvidia-a100-sxm-80gb"""

PLOT_EXAMPLES = """[bold]Examples[/bold]

symcost plot mobilenet_v2 memory --dtype int8 --device stm32f746 --output memory.png

symcost plot resnet50 latency --set n=n --device nvidia-a100-sxm-80gb --output latency.svg"""

Target = Annotated[
    str, typer.Argument(metavar="MODEL", help="A reference network (symcost models), or PKG.MOD:NAME to trace.")
]
Specs = Annotated[list[str] | None, typer.Argument(metavar="SPEC...", help="Inputs of a model to trace.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A number (or symbol) for a parameter.")
]
Arg = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of a traced factory.")]
Call = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="Keyword argument of a traced call.")]
On = Annotated[str, typer.Option("--device", metavar="DEVICE", help="symcost devices lists them; or a TOML file.")]
MaybeOn = Annotated[str | None, typer.Option("--device", metavar="DEVICE", help="For latency, energy and fits.")]
Dtype = Annotated[str | None, typer.Option(help="Number type of operations and activations; as traced unless given.")]
Weights = Annotated[str | None, typer.Option(help="Number type of the weights, where it is another.")]
Bits = Annotated[int | None, typer.Option(min=1, help="Bits of every weight, in the place of a number type.")]
Rule = Annotated[str, typer.Option(help="Peak of activations: liveness or textbook.")]
Model = Annotated[str, typer.Option(help="Latency: whole, roofline or fused.")]
TextOrJson = Annotated[str, typer.Option("--format", help="text | json")]


def _chosen(formats: Any, name: str) -> Callable[[Any], str]:
    return formats[known_format(name, formats)]


def _widths(weights: str | None, bits: int | None) -> str | int | None:
    """How wide the weights are, said once."""
    if weights is not None and bits is not None:
        raise SymcostError(f"--weights {weights} and --bits {bits} both say how wide the weights are: leave one")
    return weights if bits is None else bits


def devices(
    name: Annotated[str | None, typer.Argument(metavar="[DEVICE]", help="One device with all its numbers.")] = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """The devices with their memories; one device with every number and its source."""
    from symcost.devices import device, names
    from symcost.report.subjects import devices as report

    check_writable(output)
    render = _chosen(report.FORMATS, format_)
    write(render([device(name)] if name else [device(each) for each in names()]), output)


def estimate(
    target: Target,
    specs: Specs = None,
    device: On = "nvidia-a100-sxm-80gb",
    dtype: Dtype = None,
    weights: Weights = None,
    bits: Bits = None,
    model: Model = "roofline",
    efficiency: Annotated[
        str | None, typer.Option(help="Share of the peak that is reached, in (0, 1]; as measured unless given.")
    ] = None,
    rule: Rule = "liveness",
    set_: Set = None,
    arg: Arg = None,
    call: Call = None,
    format_: Annotated[str, typer.Option("--format", help="text | csv | json")] = "text",
    output: Output = None,
) -> None:
    """Latency, what bounds it, energy and memory of a model on a device, exact; formulas where symbols are left."""
    from symcost.estimate.questions.face import estimate as made
    from symcost.report.subjects import estimates

    check_writable(output)
    render = _chosen(estimates.FORMATS, format_)
    costs = table_of(target, specs, set_, arg, call)
    found = made(
        costs, target, device, dtype, weights=_widths(weights, bits), model=model, efficiency=efficiency, rule=rule
    )
    write(render(found), output)


def fits(
    target: Target,
    specs: Specs = None,
    device: On = "stm32f746",
    dtype: Dtype = None,
    weights: Weights = None,
    bits: Bits = None,
    rule: Rule = "liveness",
    set_: Set = None,
    arg: Arg = None,
    call: Call = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """Every memory of a device against the bytes that the model keeps there. Exit code 1 when it does not fit."""
    from symcost.estimate.bytes.fit import fits as checked
    from symcost.report.subjects import answers

    check_writable(output)
    render = _chosen(answers.FITS, format_)
    found = checked(table_of(target, specs, set_, arg, call), device, dtype, weights=_widths(weights, bits), rule=rule)
    write(render(found), output)
    if not found:
        raise typer.Exit(1)


def solve(
    target: Target,
    constraints: Annotated[
        list[str], typer.Argument(metavar="CONSTRAINT...", help="Such as 'params <= 25 M and latency <= 10 ms', fits.")
    ],
    largest: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Find its largest value.")] = None,
    smallest: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Find its smallest value.")] = None,
    given: Annotated[list[str] | None, typer.Option(metavar="NAME=INT", help="Values of the other symbols.")] = None,
    spec: Annotated[list[str] | None, typer.Option(metavar="SPEC", help="An input of a model to trace.")] = None,
    device: MaybeOn = None,
    dtype: Dtype = None,
    weights: Weights = None,
    bits: Bits = None,
    model: Model = "roofline",
    rule: Rule = "liveness",
    batch: Annotated[str, typer.Option(metavar="SYMBOL", help="What the throughput counts.")] = "n",
    upto: Annotated[
        int | None, typer.Option(min=1, help="Try all sizes up to this, where bisection is not certified.")
    ] = None,
    set_: Set = None,
    arg: Arg = None,
    call: Call = None,
    format_: TextOrJson = "text",
    output: Output = None,
) -> None:
    """The largest (or smallest) value of a symbol under constraints, exact."""
    from symcost.estimate.questions.solve import solve as solved
    from symcost.report.subjects import answers

    check_writable(output)
    render = _chosen(answers.SOLUTIONS, format_)
    found = solved(
        table_of(target, spec, set_, arg, call), constraints, largest=largest, smallest=smallest,
        given=integers("--given", given), within=range(1, upto + 1) if upto else None, on=device, dtype=dtype,
        weights=_widths(weights, bits), model=model, rule=rule, batch=batch,
    )  # fmt: skip
    write(render(found), output)


def plot(
    target: Target,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="memory, roofline, latency or energy.")],
    specs: Specs = None,
    device: MaybeOn = None,
    dtype: Dtype = None,
    model: Model = "roofline",
    batch: Annotated[str, typer.Option(metavar="SYMBOL", help="What the latency picture runs over.")] = "n",
    set_: Set = None,
    arg: Arg = None,
    call: Call = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="A .png or .svg file.")] = None,
) -> None:
    """A picture of a model: memory per block, roofline, latency over the batch, energy."""
    if output is None:
        raise SymcostError("a picture needs a file: give --output picture.png, or .svg")
    table_of(target, specs, set_, arg, call).plot(kind, device, dtype, batch=batch, model=model, file=output)


def add(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command(epilog=DEVICES_EXAMPLES)(devices)
    app.command(epilog=ESTIMATE_EXAMPLES)(estimate)
    app.command(epilog=FITS_EXAMPLES)(fits)
    app.command(epilog=SOLVE_EXAMPLES)(solve)
    app.command(epilog=PLOT_EXAMPLES)(plot)
