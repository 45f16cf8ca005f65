"""The verb ``calibrate``: a device entry measured on this machine, and how far estimates with it are off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from symcost.cli.output import Output, Progress, shows, write
from symcost.errors import SymcostError
from symcost.reading.numerals import short


@shows(
    "symcost calibrate --output host.toml",
    "symcost estimate resnet18 --device host.toml",
    "symcost calibrate --device host.toml --check",
)
def calibrate(
    name: Annotated[str, typer.Option(help="Name of the device entry.")] = "host",
    device: Annotated[
        Path | None,
        typer.Option("--device", metavar="FILE.toml", help="An entry measured before, instead of measuring."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare predicted and measured times of reference networks.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0.01, max=10, help="Time for each block and network.")] = 0.25,
    output: Output = None,
) -> None:
    """Measure what this machine reaches on blocks of layers, as a device entry."""
    from symcost.devices import device as of
    from symcost.devices.read import parsed
    from symcost.estimate.calibration import check as networks
    from symcost.estimate.calibration import measure
    from symcost.report.subjects import calibration

    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise SymcostError(f"--name {short(name)} is no name of an entry: use letters, digits, - and _")
    if device and (output or not check):
        raise SymcostError("--device takes an entry measured before: use it with --check, and without --output")
    with Progress("measuring") as progress:
        measured = [] if device else measure.measurements(seconds, progress.say)
        entry = "" if device else measure.entry(name, measured)
        host = of(str(device)) if device else parsed(entry, "the entry")[name]
        compared = networks.compared(host, seconds, on_network=progress.say) if check else []
    if output is not None and entry:
        write(entry, output)
    shown = [calibration.measured(measured, measure.errors(entry, name, measured))] if measured else []
    shown += [calibration.compared(compared)] if compared else []
    write("\n\n".join([*shown, *([entry] if entry and not output else [])]), None)
