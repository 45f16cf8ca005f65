"""What the user wants verified, by value in this process and by name for another one."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symcost.costs.exact import check_sizes
from symcost.costs.mesh.plan import Plan
from symcost.errors import DomainError, SymcostError
from symcost.reading.choices import Mode
from symcost.reading.numerals import short
from symcost.tracing.program.given import make_function, make_model
from symcost.tracing.program.model import Model
from symcost.tracing.program.modules.constrained import Constrained
from symcost.tracing.program.spec import texts


class NotImportable(Exception):
    """A model that another process cannot make again from names, texts and numbers."""


@dataclass(frozen=True)
class ProgramSource:
    """A factory, module or function with its input specs, the point, and how it is called (as in ``sc.trace``)."""

    target: Any
    specs: tuple[Any, ...]
    at: Mapping[str, int]
    call: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "forward"
    method: str = "__call__"
    rngs: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    function: bool = False
    name: str = ""
    """``PKG.MOD:NAME`` where it is known."""
    wrt: Any = None
    axes: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the named axes around it."""
    mesh: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the axes of a mesh, which the program may name."""
    explicit: Plan | None = None
    """How its arguments lie on that mesh, where its axes are explicit."""
    plan: Plan | None = None
    """How what its modules give lies on that mesh."""

    @classmethod
    def of(cls, model: Model, at: Mapping[str, int]) -> ProgramSource:
        """The source of a model as it was traced."""
        target = model.function or model.factory or model.module
        return cls(target, model.specs, at, {**model.call, **model.arrays}, model.mode, model.method, model.rngs,
                   model.parameters, model.function is not None, wrt=model.wrt.given, axes=model.axes,
                   mesh=model.mesh, explicit=model.explicit, plan=model.constrained.plan)  # fmt: skip

    def model(self) -> Model:
        """The maker of programs."""
        return replace(self._made(), mesh=self.mesh, explicit=self.explicit, constrained=Constrained(self.plan))

    def _made(self) -> Model:
        if self.function:
            if self.wrt is not None:
                raise SymcostError(f"wrt={short(self.wrt)} selects parameters of a module: a function has none")
            return make_function(self.target, self.specs, self.call, self.axes)
        return make_model(self.target, self.specs, free=self.free, call=self.call, mode=self.mode, rngs=self.rngs,
                          method=self.method, wrt=self.wrt, axes=self.axes)  # fmt: skip

    def check(self, model: Model) -> None:
        """Raise unless the point gives a positive integer to every symbol and to nothing else."""
        for name, value in self.at.items():
            if name not in model.symbols:
                raise DomainError(f"unknown symbol {name!r}: the symbols here are {', '.join(model.symbols) or 'none'}")
            check_sizes({name: value})
        check_all(model.symbols, self.at)

    def reference(self) -> dict[str, Any]:
        """What another process needs to make the same program. Errors: :class:`NotImportable`, with the cure."""
        if self.explicit is not None:
            raise NotImportable("its arrays lie along explicit axes, which is not told to another process")
        target = self.target
        module, name = getattr(target, "__module__", None), getattr(target, "__qualname__", "")
        own = self.name or (f"{module}:{name}" if module else "")
        if not own or own.startswith("__main__") or "<" in own or (not self.name and _imported(own) is not target):
            raise NotImportable("its model cannot be imported by name: define it at the top level of a module")
        told = {"name": own, "specs": list(texts(self.specs)), "at": dict(self.at), "call": texts(dict(self.call)),
                "mode": self.mode, "method": self.method, "rngs": list(self.rngs), "free": list(self.free),
                "function": self.function, "wrt": list(self.wrt) if isinstance(self.wrt, tuple) else self.wrt,
                "axes": dict(self.axes), "mesh": dict(self.mesh), "constraint": self._constraint()}  # fmt: skip
        for part, value in told.items():
            if not _is_json(value):
                raise NotImportable(
                    f"{part}={short(value)} cannot be told to another process: give it as texts and numbers"
                )
        return told

    def _constraint(self) -> dict[str, list[Any]]:
        """The axes of what modules give, as texts."""
        patterns = {} if self.plan is None else self.plan.constraint
        return {
            path: [list(axes) if isinstance(axes, tuple) else axes for axes in entries]
            for path, entries in patterns.items()
        }

    @classmethod
    def restored(cls, told: Mapping[str, Any]) -> tuple[Model, Mapping[str, int]]:
        """The model and the point of a reference, in the other process."""
        source = cls(_imported(told["name"]), tuple(told["specs"]), told["at"], told["call"], told["mode"],
                     told["method"], tuple(told["rngs"]), tuple(told["free"]), told["function"], told["name"],
                     told["wrt"], told["axes"], told["mesh"],
                     plan=Plan(told["mesh"], constraint=told["constraint"]) if told["constraint"] else None)  # fmt: skip
        return source.model(), source.at


def check_all(symbols: Iterable[str], at: Mapping[str, int]) -> None:
    """Raise for a symbol without a value."""
    left = [name for name in symbols if name not in at]
    if left:
        example = ", ".join(f"{name}=..." for name in left)
        raise SymcostError(f"no value for {', '.join(left)}: a compiler needs all of them, give at=dict({example})")


def _is_json(value: Any) -> bool:
    try:
        return json.loads(json.dumps(value)) == value
    except (TypeError, ValueError):
        return False


def _imported(name: str) -> Any:
    module, _, attributes = name.partition(":")
    target = importlib.import_module(module)
    for part in attributes.split("."):
        target = getattr(target, part, None)
    return target
