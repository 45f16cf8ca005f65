"""The verb: compile the model for the named targets and compare every count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from symcost.agreement.check import LOWERED, Check, ModuleRow
from symcost.agreement.written import METRICS, Written, emulation, misplaced, modules, totals
from symcost.costs.evidence import summary
from symcost.costs.mesh.plan import Entry
from symcost.costs.table import CostTable
from symcost.errors import SymcostError
from symcost.hlo.reading.text import HloError
from symcost.reading.choices import Mode
from symcost.reading.given import checked_but
from symcost.referee.compilers.answer import Failure, TargetAnswer
from symcost.referee.compilers.compile import TIMEOUT, CompileJob, Event, Placement
from symcost.referee.compilers.program import JaxProgram, program_at
from symcost.referee.compilers.source import ProgramSource
from symcost.referee.compilers.start import start_devices
from symcost.referee.compilers.targets import TPU, Target, target
from symcost.referee.verdicts import against as counters
from symcost.referee.verdicts import chip, kept, layered, memory, traced
from symcost.referee.verdicts.compiled import compiled, read, unread
from symcost.referee.verdicts.exchange import Exchange
from symcost.referee.verdicts.kept import Derived
from symcost.referee.verdicts.verdict import Compiled, Verdict
from symcost.rules.own import opened
from symcost.system.collector import rare_collections
from symcost.tracing.derive import derive
from symcost.tracing.options import PIECES, Options
from symcost.tracing.program.given import takes_arrays
from symcost.tracing.program.spec import parse_tree, told

ON_CHIP = (
    "On TPUs what is alive at the peak includes buffers on the chip, which are none of the compiler's temporaries."
)


@checked_but("timeout")
def verify(
    model: Any,
    *specs: Any,
    at: Mapping[str, int] | None = None,
    targets: str | Sequence[str] = ("cpu",),
    against: str | Sequence[str] = (),
    call: Mapping[str, Any] | None = None,
    mode: Mode = "forward",
    wrt: Any = None,
    method: str = "__call__",
    rngs: Sequence[str] = (),
    free: Sequence[str] = (),
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    upto: Mapping[str, int] | None = None,
    max_pieces: int = PIECES,
    axes: Mapping[str, int] | None = None,
    function: bool = False,
    name: str = "",
    mesh: Mapping[str, int] | None = None,
    shard: Mapping[str, str | Sequence[Entry]] | None = None,
    timeout: float = TIMEOUT,
    cache: bool = True,
    on_event: Event = lambda target, event: None,
) -> Verdict:
    """Whether the closed form of a model and the compilers' count of its program are the same number.

    ``model``, ``specs``, ``call``, ``mode``, ``wrt``, ``method``, ``rngs``, ``free``, ``samples``, ``steps``, ``at_least``,
    ``upto``, ``max_pieces`` and ``axes`` are those of :func:`symcost.trace`, and with ``function=True`` those of
    :func:`symcost.trace_function`. ``at`` gives a value to every symbol. ``targets``: names as ``symcost targets`` lists
    them; none needs its device.

    - ``against``: other counters whose figure to show: ``"flax"``, ``"roofline"``, ``"xla"``, or several: ``"flax,xla"``.
    - ``mesh``: sizes of a mesh of devices by axis name; ``shard``: axes of an array's dimensions, by a part of its name or a
      pattern of it, such as ``{"inputs": ("data",), "kernel": (None, "model")}``. The last entry that fits holds.
    - ``timeout``: seconds a compiler may take; ``cache``: whether answers are kept and reused; ``name``: how another
      process imports the model (``PKG.MOD:NAME``), should its program not serialise; ``on_event``: told
      ``(target, event)``.

    A table that ``trace`` or ``trace_function`` made is its own ``model`` too: ``verify(costs, at=...)`` asks about the program
    that it was traced from, with the options that it was traced with, and it is the closed form that is compared. A plain
    function whose arguments the inputs are, ``verify(f, "float32[n,8]", at=dict(n=2))``, needs no ``function=True`` unless
    ``at`` has a value of one of its parameters: then it is a factory.

    Of a table that was traced with a plan the program is compiled for its mesh, and the bytes of its collectives are
    compared by kind and axes: ``at`` has the sizes of the mesh too. What a compiler changes of the program that XLA cuts is
    named, as far as the compiled text shows it: sums that are reduced once, reduce-scatter, rings beside products, ...

    A network written as layers is its own ``model``: ``verify(sc.table(net, shape), at=...)`` compares the layers' formulas
    with the trace of the Flax twin too; its input is ``float32``, channels last (``int32`` for tokens), unless a spec says
    otherwise.

    At the point the closed form is compared with a fresh trace, number by number; beyond what was tried of a bounded symbol
    that alone says that it holds there.

    The verdict is true when the closed form is the exact integer of the lowered program, in total and by module, XLA's
    own float32 figures are emulated bit for bit, every unit between written and compiled has a name, and every target
    answered. Where only the last is lacking, the verdict is no pass either and its ``outcome`` is ``"INCOMPLETE"``.
    Raises :class:`symcost.SymcostError` for an unknown target or point, and what ``trace`` raises.

    >>> import flax.linen as nn
    >>> verdict = verify(lambda d: nn.Dense(d), "float32[n,8]", at=dict(n=2, d=4), targets=[])
    >>> bool(verdict), verdict.flops
    (True, 136)
    >>> from symcost import trace
    >>> costs = trace(lambda d: nn.Dense(d), "float32[n,8]")
    >>> verify(costs, at=dict(n=2, d=4), targets=[]).flops
    136
    """
    named = map(target, [targets] if isinstance(targets, str) else targets)
    asked = list({each.name: each for each in named}.values())
    against = counters.named(against)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise SymcostError(f"timeout={timeout!r} is no time to wait: give seconds")
    at = {name: int(value) if isinstance(value, np.integer) else value for name, value in (at or {}).items()}
    start_devices()
    placement, point, layers, given = Placement(dict(mesh or {}), dict(shard or {})), dict(at), None, None
    sent: Exchange | None = None
    if isinstance(model, CostTable) and (network := model.parts.network) is not None:
        model, specs, layers = layered.twin(model, network, specs, at)
        point = {}
    if isinstance(model, CostTable):
        options = {"call": call, "wrt": wrt, "rngs": rngs, "free": free, "samples": samples, "steps": steps,
                   "at_least": at_least, "upto": upto, "axes": axes, "function": function}  # fmt: skip
        given, at = model, {**model.point, **at}
        if model.plan is not None:
            if mesh or shard:
                raise SymcostError("mesh and shard are the plan's of this table: leave them out")
            sent = Exchange(model, at)
            placement = sent.placement
            given = model.whole
            at = {name: value for name, value in at.items() if name in given.symbols or name in given.point}
        source = traced.source(model, at, [name for name, value in {"specs": specs, **options}.items() if value])
    else:
        function = function or takes_arrays(model, specs, call, at)
        source = ProgramSource(
            model,
            parse_tree(specs),
            point,
            dict(call or {}),
            mode,
            method,
            tuple(rngs),
            tuple(free),
            function,
            name,
            wrt,
            dict(axes or {}),
        )
    maker = source.model()
    source.check(maker)
    if maker.axes:
        if placement.mesh or placement.rules:
            raise SymcostError(
                f"axes={dict(maker.axes)} are a mesh of their own, beside mesh and shard: leave one of them"
            )
        placement = Placement(maker.axes)
    with rare_collections():
        program = program_at(maker, source.at)
        cut = source if sent is None else sent.on_mesh(source)  # as written, one device has all of it
        compiling = program if sent is None else program_at(cut.model(), source.at)
        job = CompileJob(cut, compiling, placement, timeout, cache, on_event)
        answers = job.start(asked)
        try:
            platforms = tuple(dict.fromkeys(each.platform for each in asked))
            sampling = dict(samples=samples, steps=steps, at_least=at_least, upto=upto, max_pieces=max_pieces)
            known = _Request.of(source, program, sampling, given)
            # What a rule of one's own counted is of no use to a later question, in which it may be another rule; and a table
            # that was given answers for itself.
            alone = bool(opened()) or given is not None
            costs, written = (
                _derived.__wrapped__(known, platforms, False) if alone else _derived(known, platforms, cache)
            )
            parts = _level_1(costs, written, layers)
            for each in asked:
                _add(parts, each, answers[each.name].result(), written, program, costs, placement.devices, sent)
            others = counters.opinions(against, maker, point, program, written)
        finally:
            job.stop()
    total, at = costs.total("xla"), at if sent is None else sent.at
    notes = (*_words(costs), *((ON_CHIP,) if any(each.platform == TPU for each in asked) else ()))
    return Verdict(at=dict(at), flops=total.flops, transcendentals=total.transcendentals, checks=tuple(parts.checks),
                   modules=tuple(parts.rows), targets=tuple(parts.targets), failures=parts.failures,
                   opinions=tuple(others), notes=notes, operations=parts.operations)  # fmt: skip


@dataclass
class _Parts:
    """What a verdict is made of, as it comes in."""

    checks: list[Check]
    rows: list[ModuleRow]
    operations: dict[str, dict[str, tuple[int, int]]]
    targets: list[Compiled] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def _words(costs: CostTable) -> tuple[str, ...]:
    """What stands behind each symbol of the closed form, and what was compared at the point."""
    domain, compared = costs.domain, costs.parts.compared
    words = summary(domain.evidence, domain.decisions) if domain is not None else ""
    told = "; ".join(part for part in (words, compared) if part)
    return (f"The closed form is {told}." if words else f"The closed form has {told}.",) if told else ()


def _level_1(costs: CostTable, written: Written, layers: CostTable | None) -> _Parts:
    """The closed form, and the layers' if there are any, against the program as written."""
    checks = [] if layers is None else layered.checks(layers, costs)
    checks += totals(costs, written)
    checks += emulation(LOWERED, written.once, written.analysis, [*METRICS, "bytes accessed"])
    rows, operations = modules(costs, written)
    return _Parts(checks + misplaced(rows), rows, operations)


def _add(parts: _Parts, each: Target, answer: TargetAnswer | Failure, written: Written, program: JaxProgram, costs: CostTable,
         devices: int, sent: Exchange | None) -> None:  # fmt: skip
    """Levels 2 and 3 of one target, or why there are none."""
    if isinstance(answer, Failure):
        parts.failures[each.name] = answer.reason
        return
    paths = tuple(argument.path for argument in program.arguments)
    live: dict[str, int] = {}
    try:
        if answer.unprinted:
            raise HloError(f"the compiler cannot print it ({answer.unprinted})")
        made, checks, rows = compiled(each, answer, written, paths, devices)
        if sent is not None:
            checks += sent.checks(each.name, read(each, answer, paths).module)
        live = memory.live(answer.memory_text, paths)
    except HloError as problem:
        why = f"{each.name} answered with its figures, and with a program that cannot be counted: {problem}"
        made, checks, rows = unread(each, answer, devices, why), [], []
    if sent is not None:
        checks += chip.checks(each, answer, sent, None if made.missing else read(each, answer, paths).module)
    own = memory.liveness(costs) if devices == 1 else {}
    parts.targets.append(replace(made, memory={**memory.held(answer), **own}, live=live))
    parts.rows += rows
    parts.checks += checks
    if devices == 1:
        intermediates = costs.total("full").bytes_written
        intermediates = intermediates if isinstance(intermediates, int) else None
        parts.checks += memory.checks(each, answer, program, intermediates, read=not made.missing)


@dataclass(frozen=True)
class _Request:
    """What makes two requests the same in one process: the model object, how it is traced, its program at the point."""

    program: str
    model: int
    options: str
    source: ProgramSource = field(compare=False, repr=False)
    made: JaxProgram = field(compare=False, repr=False)
    sampling: dict[str, Any] = field(compare=False)
    given: CostTable | None = field(compare=False, repr=False)
    """The closed form that is asked about, where there is one already."""

    @classmethod
    def of(
        cls, source: ProgramSource, program: JaxProgram, sampling: dict[str, Any], given: CostTable | None
    ) -> _Request:
        options = repr((told(source.specs), told(dict(source.call)), source.mode, source.method, source.rngs, source.free,
                     source.function, source.wrt, getattr(source.target, "__qualname__", ""), tuple(source.at.items()),
                     sampling))  # fmt: skip
        return cls(program.key, id(source.target), options, source, program, sampling, given)


@lru_cache(maxsize=8)
def _derived(known: _Request, platforms: tuple[str, ...], cache: bool) -> tuple[CostTable, Written]:
    """The closed form at the point and the program as written, which a model with the same program there has already."""
    entry = kept.key(known.program, (known.options, platforms))
    derived = kept.load(entry) if cache else None
    if derived is None:
        lifted, put_in = _closed_form(known), {} if known.given is None else known.given.point
        point = {name: value for name, value in known.source.at.items() if name not in put_in}
        whole = set(lifted.symbols) <= set(point)  # trips that nobody knows have no value at a point
        asked = point or (whole and known.given is not None)
        derived = Derived(lifted.subs(check=whole, **point) if asked else lifted, *_lowered(known.made, platforms))
        if cache:
            kept.keep(derived, entry)
    paths = tuple(argument.path for argument in known.made.arguments)
    try:
        return derived.costs, Written.of(derived.text, derived.analysis, paths, version("jaxlib"))
    except HloError as problem:
        raise SymcostError(f"the lowered program cannot be counted: {problem}") from None


def _closed_form(known: _Request) -> CostTable:
    """The model's closed form: the one that was given, or derived."""
    if known.given is not None:
        return known.given
    return derive(known.source.model(), Options(**known.sampling, referee=False), lambda count: None)


def _lowered(program: JaxProgram, platforms: tuple[str, ...]) -> tuple[str, dict[str, float]]:
    """The text of the lowered program and XLA's own figures of it."""
    lowered = program.lowered(platforms)
    return lowered.compiler_ir("hlo").as_hlo_module().to_string(), lowered.cost_analysis() or {}
