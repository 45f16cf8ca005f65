"""The verb ``sweep``: count, rank or draw the front of a design space written in TOML. It never imports flax itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from symcost.cli.output import Output, Steps, SweepProgress, check_writable, checked, one_of, shows, write
from symcost.cli.tables import table_of
from symcost.costs.table import CostTable
from symcost.errors import SpaceError, SymcostError
from symcost.reading.numerals import bare, short
from symcost.referee.compilers.start import start_jax
from symcost.sources.source import is_traced
from symcost.sources.texts import called, load
from symcost.sweeps.question.network import source_of, traces
from symcost.system.extras import look

TIMEOUT = 10
"""Seconds for a scheduler to answer."""


def _check_picture(file: Path) -> None:
    from symcost.sweeps.answers.pictures import check_name

    check_writable(file, "--plot")
    check_name(file)


@shows(
    "symcost sweep examples/microcontroller.toml",
    "symcost sweep examples/gpt_budget.toml --format json --output best.json",
    "symcost sweep space.toml --out run --processes 8      (the same command goes on after an interruption)",
    "symcost sweep space.toml --out run --dask tcp://scheduler:8786",
    "symcost sweep examples/microcontroller.toml --verify 1 --target cpu",
    'A network: "resnet50", "costs.json", {model = "examples.gpt:GPT", specs = \\["int32\\[n,N]"]}, or costs that a module makes.',
    'A file of a space: network = "examples.microcontroller:network" / where = \\["params <= 1 M and latency <= 5 ms"] /\n'
    'device = "stm32f746" / dtype = "int8" /\n'
    'maximize = "macs" / \\[axes] / w = {from = 7, to = 28} / r = {multiples_of = 32, from = 96, to = 256}',
    "One objective ranks, two to four give the Pareto front, none lists what is feasible when it is little.",
)
def sweep(
    space: Annotated[Path, typer.Argument(metavar="SPACE.toml", help="The network, its axes, conditions, objectives.")],
    engine: Annotated[str, typer.Option(help="auto, native, jax or numpy.")] = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads, as many as cores by default; with --dask parts under way, one for each of its threads.",
        ),
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Worker processes instead of threads.")] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep finished parts here, and go on from what is there.")
    ] = None,
    histogram: Annotated[
        int | None, typer.Option(min=1, metavar="BINS", help="Add the distribution of each cost over what is feasible.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the front, or all that is feasible over two axes as maps: .png, .svg or .pdf.",
            callback=checked(_check_picture),
        ),
    ] = None,
    colour: Annotated[str | None, typer.Option(metavar="AXIS", help="Axis that colours the front.")] = None,
    verify: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Trace and compile the K best, and add their verdicts.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Compiler for --verify, as symcost targets lists them.")
    ] = None,
    compared: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare the best of a traced network with a fresh trace there.")
    ] = True,
    format_: Annotated[str, one_of("text", "csv", "json")] = "text",
    output: Output = None,
) -> None:
    """Count, filter and rank every configuration of a design space, exactly."""
    from symcost.cli.search.best import check, verdicts
    from symcost.report.subjects import designs
    from symcost.sweeps.answers.compared import FRONT, compare
    from symcost.sweeps.answers.pictures import check_colour
    from symcost.sweeps.question.question import load_space
    from symcost.sweeps.run.task import search_note
    from symcost.sweeps.verbs import listed, pareto
    from symcost.sweeps.verbs import sweep as best

    render = designs.FORMATS[format_]
    if verify is not None and format_ == "csv":
        raise SymcostError("--format csv has no place for verdicts: use text or json with --verify")
    if dask is not None:
        look("--dask", "distributed", error=SpaceError)
    if out is not None:
        look("--out", "pyarrow", "filelock", error=SpaceError)
    asked = load_space(space)
    slow = search_note(asked.space.size, engine)
    if slow is not None:
        print(f"symcost: note: {slow}", file=sys.stderr)
    objectives = [*((text, False) for text in asked.minimize), *((text, True) for text in asked.maximize)]
    _check_options(len(objectives) > 1, histogram, plot, colour, verify, target)
    costs = network(asked, space.parent)
    define = asked.define
    if isinstance(define, str):
        define = _imported(define, Mapping, f"define = {short(define)}", "a mapping of names to formulas")
    if colour is not None:
        check_colour(colour, listed(costs, asked.space, objectives, asked.show, define, asked.options))
    if verify is not None:
        check(asked, costs, target or ["cpu"])
    with ExitStack() as stack:
        executor = None
        if dask is not None:
            executor, threads = stack.enter_context(_cluster(dask))
            workers = workers or threads
        progress = stack.enter_context(SweepProgress(asked.space.size))
        common: dict[str, Any] = {
            "show": asked.show, "define": define, "engine": engine, "workers": workers, "processes": processes,
            "executor": executor, "out": out, "on_progress": progress, **asked.options,
        }  # fmt: skip
        if len(objectives) > 1:
            answer = pareto(costs, asked.space, minimize=asked.minimize, maximize=asked.maximize, **common)
        else:
            goal = {"minimize": next(iter(asked.minimize), None), "maximize": next(iter(asked.maximize), None)}
            answer = best(costs, asked.space, **goal, top=asked.top, histogram=histogram, **common)
    if compared and objectives:
        compare(costs, asked.space, define, answer.rows[:1] if len(objectives) == 1 else answer.rows[:FRONT])
    judged: list[Any] = []
    if verify is not None:
        start_jax()
        try:
            with Steps() as steps:
                judged = verdicts(asked, costs, define, answer.rows[:verify], target or ["cpu"], steps)
        except BaseException:  # what was searched for long is told, whatever the compilers say or whoever interrupts
            write(render(answer), output)
            raise
    write(designs.with_verdicts(answer, judged, format_) if judged else render(answer), output)
    if judged and out is not None:
        write(designs.verdicts(judged), out / "verdicts.json")
    if plot is not None and len(answer):
        answer.plot(plot, colour)
    elif plot is not None:
        print(f"symcost: note: {plot} is not drawn: no configuration is listed", file=sys.stderr)
    if not all(judged):
        raise typer.Exit(2 if any(each.failures for each in judged) else 1)


def _check_options(
    front: bool, histogram: int | None, plot: Path | None, colour: str | None, verify: int | None, target: Any
) -> None:
    """Refuse what would be left aside without a word."""
    if front and histogram is not None:
        raise SymcostError(f"--histogram {histogram} is for one objective or none: this space has several, and a front")
    if colour is not None and (plot is None or not front):
        missing = "no --plot" if plot is None else "no two objectives in the space"
        raise SymcostError(f"--colour {bare(colour)} is for the picture of a front: there is {missing}")
    if target and verify is None:
        raise SymcostError(f"--target {bare(target[0])} is for --verify K: give how many configurations to compile")


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Any, int | None]]:
    """An executor on the workers of a Dask cluster, and its threads; what a dead worker was at is done by another."""
    from distributed import Client

    try:
        client = Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as problem:
        raise SpaceError(f"--dask {bare(address)}: no scheduler answers there ({bare(str(problem))})") from None
    with client:
        threads: Any = client.nthreads()
        yield client.get_executor(pure=False), sum(threads.values()) or None


def network(asked: Any, folder: Path) -> Any:
    """The costs that a question names: formulas, one network, or one of each name; files lie beside the question's."""
    if asked.formulas:
        return asked.formulas
    if asked.networks:
        sources = {name: (f"networks.{name}", each) for name, each in asked.networks.items()}
        first = sorted(sources, key=lambda name: traces(sources[name][1]))  # what needs no trace, and its errors
        costs = {name: _costs(*sources[name], folder) for name in first}
        return {name: costs[name] for name in sources}
    return _costs("network", asked.network, folder)


def _costs(key: str, given: Any, folder: Path) -> Any:
    """Costs by what a file says: formulas that a module has, or a model as every verb takes it."""
    if isinstance(given, str) and is_traced(given):
        return _imported(given, CostTable | Mapping, given, "costs, or a function without arguments of them")
    return table_of(source_of(key, given, folder))


def _imported(target: str, kinds: Any, said: str, wanted: str) -> Any:
    """What a module has, or its function makes, which is one of some kinds."""
    value = called(load(target), target)
    if not isinstance(value, kinds):
        raise SpaceError(f"{said} gives {type(value).__name__}: it must be {wanted}")
    return value
