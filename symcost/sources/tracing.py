"""The options of tracing as one value: from the command line, a TOML file or a line of a table, for another process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from symcost.costs.mesh.plan import Plan
from symcost.costs.spec import check_texts, looks_like_spec
from symcost.errors import SymcostError, TraceError
from symcost.reading.choices import MODES
from symcost.reading.nearest import one_of
from symcost.sources.plans import plan_of, plan_texts
from symcost.sources.texts import bind, integers, load, made, numbers, pairs, shares, values
from symcost.system.collector import importing


@dataclass(frozen=True)
class TracingOptions:
    """How a model is traced, by the names that :func:`symcost.trace` has for it; ``arg`` are parameters that are fixed."""

    arg: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    free: Sequence[str] = ()
    steps: Mapping[str, int] = field(default_factory=dict)
    at_least: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, Sequence[int]] = field(default_factory=dict)
    axes: Mapping[str, int] = field(default_factory=dict)
    rngs: Sequence[str] = ()
    mode: str = "forward"
    wrt: str | Sequence[str] = ()
    active: Mapping[str, Any] = field(default_factory=dict)
    upto: Mapping[str, int] = field(default_factory=dict)
    max_pieces: int | None = None
    method: str = "__call__"
    referee: bool = True
    function: bool = False
    plan: Plan | None = None

    def __bool__(self) -> bool:
        return bool(self.given)

    @property
    def given(self) -> dict[str, Any]:
        """What is not as it is by default."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) != _default(each)}

    @classmethod
    def read(cls, given: Mapping[str, Any], program: bool = True) -> TracingOptions:
        """The options from texts, by the names that the command line has for them; what is not given is as by default.

        Parameters of a network, which is no ``program``, stay the texts that it reads exactly.

        >>> TracingOptions.read({"arg": ["H=4"], "call": ["train=false"], "mode": "train"}).given
        {'arg': {'H': 4}, 'call': {'train': False}, 'mode': 'train'}
        """
        plain = {name: given[name] for name in ("mode", "method", "referee", "function") if name in given}
        return cls(
            arg=(values if program else pairs)("--arg", given.get("arg")), call=values("--call", given.get("call")),
            free=tuple(given.get("free") or ()), steps=integers("--steps", given.get("steps")),
            at_least=integers("--at-least", given.get("at_least")), samples=numbers("--samples", given.get("samples")),
            axes=integers("--axis", given.get("axis")), rngs=tuple(given.get("rng") or ()),
            wrt=tuple(given.get("wrt") or ()), active=shares("--active", given.get("active")),
            upto=integers("--upto", given.get("upto")), max_pieces=given.get("max_pieces"),
            plan=plan_of(*map(given.get, ("mesh", "shard", "constrain", "rule"))), **plain,
        )  # fmt: skip

    def check(self) -> None:
        """Raise where options do not go together, or the text of an array among them cannot be read."""
        check_texts(self.call, looks_like_spec)
        one_of(self.mode, MODES, "mode", TraceError)
        if refused := [name for name in _OF_MODULES if self.function and name in self.given]:
            raise SymcostError(
                f"--function takes none of --arg, --free, --mode, --wrt, --active, --method, --rng: use --call, not "
                f"{', '.join(map(option, refused))}"
            )

    def symbols(self, target: str, specs: Sequence[Any]) -> list[str]:
        """Symbols that the costs of ``PKG.MOD:NAME`` will be in, as far as nothing needs to be traced."""
        costs, found = self._opened(target, specs)
        if costs is not None:
            return list(costs.symbols)
        own = _face().symbols_of(found, *specs, free=self.free, call=self.call, function=self.function)
        return list(dict.fromkeys((*own, *(self.plan.symbols if self.plan else ()))))

    def table(self, target: str, specs: Sequence[Any], on_trace: Callable[[int], None] = lambda count: None) -> Any:
        """The costs of ``PKG.MOD:NAME``, which are traced unless it is costs already."""
        costs, found = self._opened(target, specs)
        if costs is not None:
            return costs
        given = {name: value for name, value in self.given.items() if name not in ("arg", "function")}
        verb = _face().trace_function if self.function else _face().trace
        return verb(found, *specs, **given, on_trace=on_trace)

    def _opened(self, target: str, specs: Sequence[Any]) -> tuple[Any, Any]:
        """Costs that the name stands for, or else the model with its parameters bound."""
        self.check()
        found = load(target)  # which starts jax
        costs = None if specs or self else made(found)
        return costs, found if costs is not None or self.function else bind(found, self.arg, target)

    def texts(self) -> list[str]:
        """The options as ``symcost trace`` takes them."""
        words: list[str] = []
        for name, value in self.given.items():
            written = option(name)
            if isinstance(value, Plan):
                words += plan_texts(value)
            elif isinstance(value, Mapping):
                words += [part for key, each in value.items() for part in (written, f"{key}={_text(name, each)}")]
            elif isinstance(value, str | bool | int):
                words += [_FLAG[written, value]] if isinstance(value, bool) else [written, str(value)]
            else:
                words += [part for each in value for part in (written, each)]
        return words


def _face() -> Any:
    """The verbs of tracing, with all that they import."""
    with importing():
        from symcost.tracing import face

        return face


def option(name: str) -> str:
    """An option as the command line has it.

    >>> option("at_least"), option("axes")
    ('--at-least', '--axis')
    """
    return f"--{OPTION.get(name, name).replace('_', '-')}"


_OF_MODULES = ("arg", "free", "mode", "wrt", "active", "method", "rngs")
OPTION = {"axes": "axis", "rngs": "rng", "plan": "mesh"}
"""What takes an entry at a time has its name in the singular."""
_FLAG = {("--function", True): "--function", ("--referee", False): "--no-referee"}


def _text(name: str, value: Any) -> str:
    if name == "samples":
        return ",".join(map(str, value))
    return str(value) if name == "active" else repr(value)


def _default(each: Any) -> Any:
    return each.default_factory() if callable(each.default_factory) else each.default
