"""The one vocabulary of quantities: what conditions, objectives, columns, budgets, audits and the page may name.

A quantity is added here, once: with its title, its unit, its formula of a :class:`~.setting.Setting`, the options that
it takes, and what each module has of it. The numbers that add stand in :data:`symcost.costs.cost.TOLD`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symcost.costs.conventions import COUNTED, KNOWN, PUBLISHED
from symcost.costs.cost import DETAIL, FIRST, TEXTBOOK, TOLD, TOTAL, Told
from symcost.costs.dtypes import ASSUMED, bits_of
from symcost.costs.size import bytes_of, model_size, param_bits, state_bits, trained_size
from symcost.errors import SymcostError
from symcost.estimate.bytes.decode import kv_cache
from symcost.estimate.bytes.memory import peak_bytes, state_bytes
from symcost.estimate.bytes.states import states_of
from symcost.estimate.bytes.training import training_memory
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
    once. ``base``: the quantity that this one is under one convention or rule.
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
    kept = training_memory(s.costs, dtype=s.dtype)
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
    "state_size": replace(_OF["state_bytes"], name="state_size", base="state_bytes", place=DETAIL),
}  # fmt: skip
"""Every quantity by its name: ``flops_xla`` is ``flops`` under a convention, ``peak_textbook`` a peak by its rule. Bytes are
by number type, those of the trace unless given."""
