"""The one vocabulary of quantities: what conditions, objectives, columns, budgets, audits and the page may name.

A quantity is added here, once: with its title, its unit, its formula of a :class:`~.setting.Setting`, the options that
it takes, and what each module has of it. The numbers that add stand in :data:`symcost.costs.cost.TOLD`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symcost.costs.conventions import COUNTED, KNOWN, PUBLISHED
from symcost.costs.cost import DETAIL, FIRST, TEXTBOOK, TOLD, TOTAL, Told
from symcost.costs.dtypes import ASSUMED, bits_of
from symcost.costs.mesh.collectives import KINDS, communication
from symcost.costs.size import bytes_of, model_size, param_bits, state_bits, trained_size
from symcost.errors import SymcostError
from symcost.estimate.amounts import many
from symcost.estimate.bytes.decode import kv_cache
from symcost.estimate.bytes.memory import peak_bytes, state_bytes
from symcost.estimate.bytes.states import states_of
from symcost.estimate.bytes.training import training_memory
from symcost.estimate.pod.kept import device_memory
from symcost.estimate.pod.step import step_time
from symcost.estimate.pod.work import sizes_of_mesh
from symcost.estimate.questions.setting import Setting
from symcost.estimate.time.energy import Energy, energy
from symcost.estimate.time.latency import Latency, latency, throughput
from symcost.estimate.time.work import kernels
from symcost.formulas.measures import BYTES, ELEMENTS, JOULES, OPERATIONS, RATE, SECONDS, Unit
from symcost.reading.choices import AnyConvention

Parts = Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Quantity:
    """A quantity by its name: how it is told, its exact formula, and the options that it takes.

    ``parts``: (path, formula) of what each module has of it, its share of a sum, or where ``peak`` says so what it needs at
    once. ``base``: the quantity that this one is under one convention or rule. ``planned``: whether it is of a device of a plan,
    and so holds where that device's own numbers do.
    """

    name: str
    title: str
    unit: Unit
    of: Callable[[Setting], Any]
    options: tuple[str, ...] = ()
    parts: Callable[[Setting], Parts] = lambda s: ()
    peak: bool = False
    place: int = DETAIL
    base: str = ""
    planned: bool = False

    def __call__(self, setting: Setting) -> Any:
        """Its exact formula in the table's symbols, in its unit."""
        return self.of(setting)

    @property
    def typed(self) -> bool:
        """Whether it depends on number types."""
        return "dtype" in self.options

    @property
    def timed(self) -> bool:
        """Whether it is of a device."""
        return "device" in self.options

    def under(self, name: str, field: str, value: str) -> Quantity:
        """The same quantity by a name that says one of its options."""
        return replace(
            self, name=name, title=f"{self.title} ({value})", base=self.name, place=DETAIL,
            options=tuple(option for option in self.options if option != field),
            of=lambda s: self.of(replace(s, **{field: value})), parts=lambda s: self.parts(replace(s, **{field: value})),
        )  # fmt: skip


def _counted(name: str, told: Told) -> Quantity:
    """A number that adds, under the convention that is asked for."""

    def convention(s: Setting) -> AnyConvention:
        if s.convention in PUBLISHED and name not in COUNTED:
            raise SymcostError(f"{s.convention} says nothing of {name}: it counts {', '.join(COUNTED)}")
        return s.convention or told.convention

    def of(s: Setting) -> Any:
        return getattr(s.costs.total(convention(s)), name)

    def parts(s: Setting) -> Parts:
        return [(group.name, getattr(group.total(convention(s)), name)) for group in s.costs.by_path()]

    return Quantity(name, told.title, told.unit, of, ("convention",), parts, place=told.place)


def _activation_bytes(s: Setting) -> Any:
    return peak_bytes(s.costs, s.types, s.rule)


def _moved(s: Setting) -> Parts:
    """The input and output of every kernel."""
    return [(kernel.path, kernel.read + kernel.written) for kernel in kernels(s.costs, "fused")]


def _size(s: Setting) -> Any:
    return model_size(s.costs, s.types.weights, s.density)


def _sizes(s: Setting) -> Parts:
    return [(path, bytes_of([(rate, number)])) for path, rate, number in param_bits(s.costs, s.types.weights)]


def _state(s: Setting) -> Any:
    return sum(state_bytes(s.costs, s.types))


def _states(s: Setting) -> Parts:
    return [(path, bytes_of([(rate, number)])) for path, rate, number in state_bits(s.costs, s.types.weights)]


def _trained(s: Setting) -> Any:
    kept = training_memory(s.costs.whole, dtype=s.dtype)
    moments = trained_size(s.costs, bits_of(s.dtype or ASSUMED))  # of the optimizer, as sc.training_memory makes them
    return kept.total + states_of(s.optimizer).bytes(moments)


def _cache(s: Setting) -> Any:
    return kv_cache(s.costs) if s.dtype is None else kv_cache(s.costs, s.dtype)


def _latency(s: Setting) -> Latency:
    return latency(s.costs, s.device, s.dtype, model=s.model, weights=s.weights)


def _energy(s: Setting) -> Energy:
    return energy(s.costs, s.device, s.dtype, model=s.model, weights=s.weights)


def _throughput(s: Setting) -> Any:
    return throughput(s.costs, s.device, s.dtype, batch=s.batch, model=s.model, weights=s.weights)


def _seconds(s: Setting) -> Parts:
    return [(step.kernel.path, step.seconds) for step in _latency(s).steps]


def _joules(s: Setting) -> Parts:
    steps = _energy(s).steps  # energy by power has none: it is that of the time
    return [(step.kernel.path, step.joules) for step in steps] if steps else _seconds(s)


def _one(costs: Any) -> Any:
    """The table, whose program on a mesh has one form. Errors: it has several, or no plan."""
    several = len(costs.sides)
    if several > 1:
        raise SymcostError(
            f"the program of one device has {several} forms, by the order of its sizes: put numbers in with costs.subs, or ask "
            "sc.count, sc.sweep, sc.pareto or sc.plans, which take each where it holds"
        )
    return costs


def _device(name: str) -> Callable[[Setting], Any]:
    return lambda s: getattr(_one(s.costs).per_device, name)


def _on_device(name: str) -> Callable[[Setting], Parts]:
    return lambda s: [(group.name, getattr(group.total(), name)) for group in s.costs.per_device.by_path()]


def _sent(kind: str = "", axis: str = "") -> Callable[[Setting], Any]:
    """Bytes of the collectives of a kind, or of those along an axis; of all of them unless one is given."""

    def of(s: Setting) -> Any:
        rows = [row for row in _one(s.costs).collectives if kind in ("", row.kind) and (not axis or axis in row.axes)]
        return _runs(s) * sympy.Add(*communication(rows).values())

    return of


def _senders(kind: str = "") -> Callable[[Setting], Parts]:
    return lambda s: [(row.path, row.total) for row in s.costs.collectives if kind in ("", row.kind)]


def _runs(s: Setting) -> Any:
    """Runs of the program in a step: each microbatch does all of it, its collectives too."""
    return many(s.microbatches, "microbatches")


def _planned(s: Setting) -> Any:
    """The table, which has a plan; an error otherwise."""
    return s.costs if s.costs.plan is not None else s.costs.per_device


def _step(s: Setting) -> Any:
    return _runs(s) * step_time(_one(_planned(s)), s.device, s.dtype).seconds


def _device_bytes(s: Setting) -> Any:
    return device_memory(_one(s.costs), s.optimizer, dtype=s.dtype, zero=s.zero).total


_WIDE, _TIMES = ("dtype", "weights", "bits"), ("device", "dtype", "weights", "bits", "latency_model")
_OPS = Told("OPs", OPERATIONS, convention=TEXTBOOK)
_BASES = (
    *(_counted(name, told) for name, told in {**TOLD, "ops": _OPS}.items()),
    Quantity("peak_activations", "peak elements", ELEMENTS, lambda s: s.costs.peak(s.rule), ("rule",), _moved, peak=True,
             place=FIRST),
    Quantity("model_size", "model size", BYTES, _size, (*_WIDE, "density"), _sizes, place=TOTAL),
    Quantity("weight_bytes", "bytes of weights", BYTES, lambda s: _size(replace(s, density=1)), _WIDE, _sizes),
    Quantity("state_bytes", "bytes of state", BYTES, _state, _WIDE, _states, place=TOTAL),
    Quantity("activation_bytes", "peak bytes", BYTES, _activation_bytes, ("dtype", "rule"), _moved, peak=True, place=TOTAL),
    Quantity("total_bytes", "bytes in memory", BYTES, lambda s: _size(s) + _activation_bytes(s) + _state(s),
             (*_WIDE, "density", "rule"), _moved, peak=True, place=TOTAL),
    Quantity("residuals", "residual bytes (saved for backward)", BYTES, lambda s: s.costs.residuals, place=TOTAL),
    Quantity("training_bytes", "bytes of training", BYTES, _trained, ("dtype", "optimizer"), place=TOTAL),
    Quantity("kv_cache", "bytes of keys and values", BYTES, _cache, ("dtype",), place=TOTAL),
    Quantity("latency", "latency", SECONDS, lambda s: _latency(s).seconds, _TIMES, _seconds, place=TOTAL),
    Quantity("throughput", "throughput", RATE, _throughput, (*_TIMES, "batch"), place=TOTAL),
    Quantity("energy", "energy", JOULES, lambda s: _energy(s).joules, _TIMES, _joules, place=TOTAL),
    Quantity("devices", "devices of the mesh", ELEMENTS, lambda s: sympy.Mul(*sizes_of_mesh(_planned(s)).values()), place=TOTAL,
             planned=True),
    *(Quantity(f"device_{name}", f"{TOLD[name].title} of a device", TOLD[name].unit, _device(name), parts=_on_device(name),
               place=TOTAL, planned=True) for name in ("params", "state", "macs", "flops")),
    Quantity("device_bytes", "bytes of training on a device", BYTES, _device_bytes, ("dtype", "optimizer", "zero"), place=TOTAL,
             planned=True),
    Quantity("communication", "bytes a device exchanges", BYTES, _sent(), ("microbatches",), _senders(), place=TOTAL,
             planned=True),
    Quantity("step_time", "time of a step on the mesh", SECONDS, _step, ("device", "dtype", "microbatches"), place=TOTAL,
             planned=True),
)  # fmt: skip
_OF = {quantity.name: quantity for quantity in _BASES}
QUANTITIES: Mapping[str, Quantity] = {
    **_OF,
    **{
        name: quantity.under(name, "convention", convention)
        for quantity in _BASES if "convention" in quantity.options
        for convention in KNOWN if quantity.name in COUNTED or convention not in PUBLISHED
        for name in (f"{quantity.name}_{convention}",)
    },
    "peak_textbook": _OF["peak_activations"].under("peak_textbook", "rule", "textbook"),
    "peak_bytes": _OF["activation_bytes"].under("peak_bytes", "rule", "liveness"),
    "peak_textbook_bytes": _OF["activation_bytes"].under("peak_textbook_bytes", "rule", "textbook"),
    **{
        name: replace(
            _OF["communication"], name=name, title=f"bytes of {kind}", of=_sent(kind), parts=_senders(kind),
            place=DETAIL, base="communication",
        )
        for kind in KINDS
        for name in (f"communication_{kind.replace('-', '_')}",)
    },
    "state_size": replace(_OF["state_bytes"], name="state_size", base="state_bytes", place=DETAIL),
}  # fmt: skip
"""Every quantity by its name: ``flops_xla`` is ``flops`` under a convention, ``peak_textbook`` a peak by its rule. Bytes are
by number type, those of the trace unless given."""


ALONG = "communication_along_"
"""What the name of the bytes along an axis of a mesh begins with."""


def vocabulary(costs: Any) -> Mapping[str, Quantity]:
    """Every quantity of a table by its name: of one with a plan the bytes along each axis of its mesh too.

    >>> import symcost as sc
    >>> vocabulary(sc.models.alexnet()) is QUANTITIES
    True
    """
    plan = getattr(costs, "plan", None)
    if plan is None:
        return QUANTITIES
    along = {f"{ALONG}{axis}": axis for axis in plan.mesh}
    return {
        **QUANTITIES,
        **{
            name: replace(
                _OF["communication"],
                name=name,
                title=f"bytes along {axis}",
                of=_sent(axis=axis),
                parts=lambda s: (),
                place=DETAIL,
                base="communication",
            )
            for name, axis in along.items()
        },
    }
