"""The verb: compile the model for the named targets and compare every count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from symcost.errors import SymcostError
from symcost.trace.derive import Options, derive
from symcost.trace.lifted import Lifted
from symcost.verify import against as counters
from symcost.verify import memory
from symcost.verify.compiled import compiled
from symcost.verify.verdict import LOWERED, Verdict
from symcost.verify.written import METRICS, Written, emulation, modules, totals
from symcost.xla.answer import Failure
from symcost.xla.compile import TIMEOUT, Event, Job, Placement
from symcost.xla.program import Program, program_at
from symcost.xla.source import Source
from symcost.xla.targets import target


def verify(
    model: Any,
    *specs: Any,
    at: Mapping[str, int],
    targets: Sequence[str] = ("cpu",),
    against: Sequence[str] = (),
    call: Mapping[str, Any] | None = None,
    mode: str = "forward",
    method: str = "__call__",
    rngs: Sequence[str] = (),
    free: Sequence[str] = (),
    samples: Mapping[str, Sequence[int]] | None = None,
    steps: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    function: bool = False,
    name: str = "",
    mesh: Mapping[str, int] | None = None,
    shard: Mapping[str, Sequence[str | None]] | None = None,
    timeout: float = TIMEOUT,
    cache: bool = True,
    on_event: Event = lambda target, event: None,
) -> Verdict:
    """Whether the closed form of a model and the compilers' count of its program are the same number.

    ``model``, ``specs``, ``call``, ``mode``, ``method``, ``rngs``, ``free``, ``samples``, ``steps`` and ``at_least`` are
    those of :func:`symcost.trace`, and with ``function=True`` those of :func:`symcost.trace_function`. ``at`` gives a
    value to every symbol. ``targets``: names as ``symcost targets`` lists them; none needs its device.

    - ``against``: other counters whose figure to show: ``"flax"``, ``"roofline"``, ``"xla"``.
    - ``mesh``: sizes of a mesh of devices by axis name; ``shard``: axes of an array's dimensions, by a part of its name,
      such as ``{"inputs": ("data",), "kernel": (None, "model")}``. The last entry that fits holds.
    - ``timeout``: seconds a compiler may take; ``cache``: whether answers are kept and reused; ``name``: how another
      process imports the model (``PKG.MOD:NAME``), should its program not serialise; ``on_event``: told
      ``(target, event)``.

    The verdict is true when the closed form is the exact integer of the lowered program, in total and by module, XLA's
    own float32 figures are emulated bit for bit, every unit between written and compiled has a name, and every target
    answered. Raises :class:`symcost.SymcostError` for an unknown target or point, and what ``trace`` raises.

    >>> import flax.linen as nn
    >>> verdict = verify(lambda d: nn.Dense(d), "float32[n,8]", at=dict(n=2, d=4), targets=[])
    >>> bool(verdict), verdict.flops
    (True, 136)
    """
    asked = [target(each) for each in dict.fromkeys(targets)]
    counters.check(against)
    if not timeout > 0:
        raise SymcostError(f"timeout={timeout} is no time to wait: give seconds")
    source = Source(model, specs, dict(at), dict(call or {}), mode, method, tuple(rngs), tuple(free), function, name)
    maker = source.model()
    source.check(maker)
    placement = Placement(dict(mesh or {}), dict(shard or {}))
    sharded = placement.devices > 1
    program = program_at(maker, source.at)
    job = Job(source, program, placement, timeout, cache, on_event)
    answers = job.start(asked)
    try:
        known = _Known.of(source, program, dict(samples=samples, steps=steps, at_least=at_least))
        lifted, written = _closed_form(known), _written(known)
        costs = lifted.subs(**source.at) if source.at else lifted
        checks = [
            *totals(costs, written),
            *emulation(LOWERED, written.once, written.analysis, [*METRICS, "bytes accessed"]),
        ]
        rows, operations = modules(costs, written)
        made, failures = [], {}
        paths = [argument.path for argument in program.arguments]
        for each in asked:
            answer = answers[each.name].result()
            if isinstance(answer, Failure):
                failures[each.name] = answer.reason
                continue
            found, own, table = compiled(each, answer, written, paths, sharded=sharded)
            made.append(replace(found, memory=memory.held(answer), live=memory.live(answer.memory_text, tuple(paths))))
            rows += table
            checks += own
            if not sharded:
                checks += memory.checks(each, answer, program, costs.total("full").bytes_written)
        others = counters.opinions(against, maker, source.at, program, written)
    finally:
        job.stop()
    total = costs.total("xla")
    return Verdict(at=dict(at), flops=total.flops, transcendentals=total.transcendentals, checks=tuple(checks),
                   modules=tuple(rows), targets=tuple(made), failures=failures, opinions=tuple(others),
                   operations=operations)  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """What makes two requests the same in one process: the model object, how it is traced, its program at the point."""

    program: str
    model: int
    options: str
    source: Source = field(compare=False, repr=False)
    made: Program = field(compare=False, repr=False)
    sampling: dict[str, Any] = field(compare=False)

    @classmethod
    def of(cls, source: Source, program: Program, sampling: dict[str, Any]) -> _Known:
        told = repr((source.specs, source.call, source.mode, source.method, source.rngs, source.free, source.function))
        return cls(program.key, id(source.target), told + repr(sampling), source, program, sampling)


@lru_cache(maxsize=8)
def _closed_form(known: _Known) -> Lifted:
    """The model's closed form. A model whose program at the point is as before keeps the one that it has."""
    return derive(known.source.model(), Options(**known.sampling), None, lambda count: None)


@lru_cache(maxsize=8)
def _written(known: _Known) -> Written:
    """The lowered program and XLA's own figures of it."""
    lowered = known.made.lowered()
    text = lowered.compiler_ir("hlo").as_hlo_module().to_string()
    paths = [argument.path for argument in known.made.arguments]
    return Written.of(text, lowered.cost_analysis() or {}, paths, version("jaxlib"))
