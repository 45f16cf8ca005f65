"""The verb ``plans``: the best mesh, batch and share of the optimizer for a model on so many chips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from symcost.cli.options import Dtype, Given, MaybeOn, Model, Specs, takes_model
from symcost.cli.output import Output, Steps, one_of, shows, write
from symcost.cli.tables import table_of
from symcost.errors import SymcostError
from symcost.reading.numerals import short
from symcost.referee.compilers.start import start_jax

Texts = list[str] | None


@shows(
    "symcost plans flax.linen:Dense 'float32\\[n,c]' --mode train --mesh data=X --shard inputs/0=data --chips 64\n"
    "--device tpu-v5p --batch 4096 --at c=1024 --at features=4096",
    "symcost plans examples.pod:perceptron 'bfloat16\\[B,d]' --mode train --mesh data=X --mesh model=Y --shard inputs/0=data\n"
    "--shard '**/up/kernel=-,model' --shard '**/down/kernel=model' --chips 256 --device tpu-v5e --batch 65536..1048576*65536\n"
    "--at d=8192 --at F=28672 --zero 0,1 --minimize step_time/step_batch --format json",
)
@takes_model
def plans(
    given: Given,
    target: Model,
    specs: Specs = None,
    chips: Annotated[Texts, typer.Option(metavar="INT,...", help="How many chips: a number, or several.")] = None,
    device: MaybeOn = None,
    batch: Annotated[
        str | None,
        typer.Option(metavar="INT,... | A..B*STEP", help="Examples of a step: numbers, or a range with both ends."),
    ] = None,
    microbatches: Annotated[str, typer.Option(metavar="INT,...", help="Runs of the program in a step.")] = "1",
    zero: Annotated[str, typer.Option(metavar="INT,...", help="Stages of ZeRO beside the plan: 0, 1, 2.")] = "0",
    optimizer: Annotated[str, typer.Option(help="What keeps state: sgd, momentum, adam, adamw, ...")] = "adam",
    where: Annotated[Texts, typer.Option(metavar="CONDITION", help="Conditions, as 'communication <= 1 GB'.")] = None,
    fits: Annotated[bool, typer.Option("--fits/--no-fits", help="Whether all must have room on a device.")] = True,
    minimize: Annotated[str, typer.Option(metavar="EXPRESSION", help="What is best when least.")] = "step_time",
    top: Annotated[int, typer.Option(min=1, help="How many plans are kept.")] = 5,
    front: Annotated[
        bool, typer.Option("--front", help="Also all whose time nothing beats without more memory.")
    ] = False,
    dtype: Dtype = None,
    tokens: Annotated[
        str | None,
        typer.Option(metavar="EXPRESSION", help="Tokens of one run, as 'n*S': each plan tells those a second."),
    ] = None,
    verify: Annotated[
        int, typer.Option(min=0, metavar="K", help="Compile the K best, and compare their collectives.")
    ] = 0,
    compiler: Annotated[
        Texts, typer.Option("--target", metavar="NAME", help="Compiler for --verify, as symcost targets lists them.")
    ] = None,
    format_: Annotated[str, one_of("text", "csv", "json")] = "text",
    output: Output = None,
) -> None:
    """The best plans of a model on so many chips, exactly: mesh, batch, microbatches. Exit code 1 when none is feasible."""
    from symcost.devices import device as device_of
    from symcost.referee.compilers.targets import target as target_of
    from symcost.report.subjects.plans import FORMATS
    from symcost.sweeps.plans.verb import plans as searched

    if not chips:
        raise SymcostError("plans are of so many chips: give --chips 256")
    if device is None:
        raise SymcostError("plans are for a device: give --device tpu-v5e; symcost devices lists them")
    if compiler and not verify:
        raise SymcostError(f"--target {compiler[0]} is for --verify K: give how many plans to compile")
    device_of(device)
    for name in compiler or ():
        target_of(name)
    asked: dict[str, Any] = {
        "chips": _numbers("--chips", ",".join(chips)), "microbatches": _numbers("--microbatches", microbatches),
        "zero": _numbers("--zero", zero, least=0), "batch": None if batch is None else _values("--batch", batch),
    }  # fmt: skip
    source = given.source(target, specs, point=True)
    sizes = {name: source.left[name] for name in source.left}
    costs = table_of(replace(source, compare=False))
    if verify:
        start_jax()
    with Steps() as steps:
        found = searched(
            costs, device=device, optimizer=optimizer, given=sizes, where=where or (), fits=fits, minimize=minimize, top=top,
            front=front, dtype=dtype, tokens=tokens, verify=verify, targets=compiler or ["cpu"], on_event=steps, **asked,
        )  # fmt: skip
    write(FORMATS[format_](found), output)
    if not found or not all(found.verdicts):
        raise typer.Exit(1)


def _numbers(option: str, text: str, least: int = 1) -> Sequence[int]:
    """Numbers between commas.

    >>> _numbers("--chips", "64,128")
    [64, 128]
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() and int(part) >= least for part in parts):
        raise SymcostError(
            f"{option} {short(text)} must be integers of at least {least} between commas, as {option} {least},2"
        )
    return [int(part) for part in parts]


def _values(option: str, text: str) -> Any:
    """Numbers between commas, or a range with both ends.

    >>> _values("--batch", "256..1024*256")
    {'from': 256, 'to': 1024, 'step': 256}
    """
    if ".." not in text:
        return _numbers(option, text)
    ends, _, step = text.partition("*")
    low, _, high = ends.partition("..")
    (first,), (last,), (by,) = (_numbers(option, part) for part in (low, high, step or "1"))
    return {"from": first, "to": last, "step": by}
