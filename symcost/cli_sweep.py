"""The verb ``sweep``: count, rank or draw the front of a design space written in TOML. It never imports flax itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli_input import load
from symcost.cli_output import Output, Steps, SweepProgress, check_writable, write
from symcost.errors import SpaceError, SymcostError
from symcost.table import CostTable
from symcost.xla.start import start_jax

TIMEOUT = 10
"""Seconds for a scheduler to answer."""
EXAMPLES = """[bold]Examples[/bold]

symcost sweep examples/microcontroller.toml

symcost sweep examples/gpt_budget.toml --format json --output best.json

symcost sweep space.toml --out run --processes 8      (the same command goes on after an interruption)

symcost sweep space.toml --out run --dask tcp://scheduler:8786

symcost sweep examples/microcontroller.toml --verify 1 --target cpu

A file of a space: network = "examples.microcontroller:network" / where = \\["params <= 1_000_000"] /
maximize = "macs" / \\[axes] / w = {from = 7, to = 28} / r = {multiples_of = 32, from = 96, to = 256}

One objective ranks, two to four give the Pareto front, none lists what is feasible when it is little."""


def sweep(
    space: Annotated[Path, typer.Argument(metavar="SPACE.toml", help="The network, its axes, conditions, objectives.")],
    engine: Annotated[str, typer.Option(help="auto, native, jax or numpy.")] = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; as many as cores by default.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Worker processes instead of threads.")] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep finished parts here, and go on from what is there.")
    ] = None,
    histogram: Annotated[
        int | None, typer.Option(min=1, metavar="BINS", help="Add the distribution of each cost over what is feasible.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the front, or two varying axes as maps: .png or .svg.")
    ] = None,
    colour: Annotated[str | None, typer.Option(metavar="AXIS", help="Axis that colours the front.")] = None,
    verify: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Trace and compile the K best, and add their verdicts.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Compiler for --verify, as symcost targets lists them.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text | csv | json")] = "text",
    output: Output = None,
) -> None:
    """Count, filter and rank every configuration of a design space, exactly."""
    from symcost.report import designs
    from symcost.sweep.face import pareto
    from symcost.sweep.face import sweep as best
    from symcost.sweep.pictures import check_name
    from symcost.sweep.question import read

    if format_ not in designs.FORMATS:
        raise SymcostError(f"unknown format {format_!r}: use {', '.join(designs.FORMATS)}")
    if verify is not None and format_ == "csv":
        raise SymcostError("--format csv has no place for verdicts: use text or json with --verify")
    check_writable(output)
    check_writable(plot)
    if plot is not None:
        check_name(plot)
    asked = read(space)
    costs = network(asked)
    define = _mapping(asked.define) if isinstance(asked.define, str) else asked.define
    with ExitStack() as stack:
        executor = stack.enter_context(_cluster(dask)) if dask is not None else None
        progress = stack.enter_context(SweepProgress(asked.space.size))
        common: dict[str, Any] = {
            "show": asked.show, "define": define, "engine": engine, "workers": workers, "processes": processes,
            "executor": executor, "out": out, "on_progress": progress,
        }  # fmt: skip
        if len(asked.minimize) + len(asked.maximize) > 1:
            answer = pareto(costs, asked.space, minimize=asked.minimize, maximize=asked.maximize, **common)
        else:
            goal = {"minimize": next(iter(asked.minimize), None), "maximize": next(iter(asked.maximize), None)}
            answer = best(costs, asked.space, **goal, top=asked.top, histogram=histogram, **common)
    if plot is not None:
        answer.plot(plot, colour)
    if verify is None:
        write(designs.FORMATS[format_](answer), output)
        return
    from symcost.cli_best import verdicts

    start_jax()
    with Steps() as steps:
        found = verdicts(asked, costs, define, answer.rows[:verify], target or ["cpu"], steps)
    write(designs.with_verdicts(answer, found, format_), output)
    if not all(found):
        raise typer.Exit(2 if any(each.failures for each in found) else 1)


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """An executor on the workers of a Dask cluster; what a dead worker was at is done by another."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise SpaceError("--dask needs distributed, which is not installed: pip install 'symcost[sweep]'") from None
    try:
        client = Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as problem:
        raise SpaceError(f"--dask {address}: no scheduler answers there ({problem})") from None
    with client:
        yield client.get_executor(pure=False)


def network(asked: Any) -> Any:
    """The costs that a question names: formulas, one network, or one of each name."""
    if asked.formulas:
        return asked.formulas
    if asked.networks:
        return {name: _costs(f"networks.{name}", source) for name, source in asked.networks.items()}
    return _costs("network", asked.network)


def _costs(key: str, source: Any) -> Any:
    """Costs by what a file says: an importable name, a reference network, a model to trace, or a JSON report."""
    if isinstance(source, str):
        return _imported(source)
    if isinstance(source, Mapping):
        match source:
            case {"table": str(name), **rest} if rest.keys() <= {"set"}:
                from symcost.models.catalog import reference

                return reference(name)(**rest.get("set", {}))
            case {"trace": str(name), "inputs": list(inputs), **options}:
                from symcost.trace.face import trace

                return trace(load(name), *inputs, **options)
            case {"json": str(path)}:
                from symcost.saved.face import load as load_saved

                return load_saved(path)
    raise SpaceError(
        f'{key} = {source!r} is not understood: write "PKG.MOD:NAME", {{table = "resnet50", set = {{n = "n"}}}}, '
        '{trace = "PKG.MOD:NAME", inputs = ["float32[n,d]"]} or {json = "costs.json"}'
    )


def _imported(target: str) -> Any:
    costs = _called(target)
    if not isinstance(costs, CostTable | Mapping):
        raise SpaceError(
            f"{target} gives {type(costs).__name__}: it must be costs, or a function without arguments of them"
        )
    return costs


def _mapping(target: str) -> Mapping[str, Any]:
    found = _called(target)
    if not isinstance(found, Mapping):
        raise SpaceError(f"define = {target!r} gives {type(found).__name__}: it must be a mapping of names to formulas")
    return found


def _called(target: str) -> Any:
    found = load(target)
    try:
        return found() if callable(found) else found
    except SymcostError:
        raise
    except Exception as problem:  # whatever the user's function does
        raise SpaceError(f"{target} cannot be called: {type(problem).__name__}: {problem}") from None


def add(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(sweep)
