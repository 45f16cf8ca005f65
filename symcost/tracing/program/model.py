"""What the user hands over (a factory, a module or a function) as a program at each sample point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from symcost.costs.mesh.plan import Plan
from symcost.errors import TraceError
from symcost.hlo.reading.scopes import mark
from symcost.reading.choices import Mode
from symcost.reading.numerals import short
from symcost.tracing.program.arguments import Abstract
from symcost.tracing.program.modules import linen, nnx
from symcost.tracing.program.modules.constrained import Constrained
from symcost.tracing.program.modules.guesses import Guesses
from symcost.tracing.program.spec import (
    about_example,
    coarse,
    filled,
    leading,
    tree_at,
    tree_symbols,
    where,
)
from symcost.tracing.program.trained import Trained, split, summed


@dataclass
class Model:
    """A factory or module with its input specs: builds the :class:`Abstract` program of any point."""

    factory: Callable[..., Any] | None
    module: Any
    specs: tuple[Any, ...]
    parameters: tuple[str, ...]
    call: dict[str, Any]
    arrays: dict[str, Any]
    mode: Mode = "forward"
    method: str = "__call__"
    rngs: tuple[str, ...] = ("params", "dropout")
    initialisers: linen.Initialisers = field(default_factory=linen.Initialisers)
    function: Callable[..., Any] | None = None
    wrt: Trained = field(default_factory=Trained)
    axes: Mapping[str, int] = field(default_factory=dict)  # sizes of the named axes around the program
    fixed: Mapping[str, int] = field(default_factory=dict)  # symbols that have one value, and are none to the outside
    hands_over: bool = False  # whether programs that train return what they save, too
    mesh: Mapping[str, int] = field(default_factory=dict)  # sizes of a mesh's axes that it may name
    explicit: Plan | None = None  # how its arguments lie on that mesh, where its axes are explicit
    constrained: Constrained = field(default_factory=Constrained)  # how what modules give lies on it

    def __post_init__(self) -> None:
        self._variables: dict[tuple[tuple[str, int], ...], Any] = {}
        self._built: dict[tuple[tuple[str, int], ...], Any] = {}  # nnx modules
        self._guesses = Guesses()
        self._asks = False  # whether it asks for what only an initialisation tells

    @property
    def name(self) -> str:
        """What the user calls it: the name of the factory, of the function or of the module's class, if it has one."""
        told = self.function or self.factory
        made = getattr(told, "__name__", "") if told is not None else type(self.module).__name__
        return "" if made == "<lambda>" else made

    @property
    def input_symbols(self) -> list[str]:
        """Symbols of the input specs, in order of appearance."""
        return [name for name in tree_symbols((self.specs, self.arrays)) if name not in self.fixed]

    @property
    def coarse_symbols(self) -> list[str]:
        """Symbols that sizes of the inputs are large multiples of."""
        return coarse((self.specs, self.arrays))

    @property
    def batches(self) -> list[str]:
        """Symbols that are the first size of an input."""
        return [name for name in leading((self.specs, self.arrays)) if name not in self.fixed]

    @property
    def symbols(self) -> list[str]:
        """All symbols: those of the specs, then the factory's own parameters."""
        names = dict.fromkeys([*self.input_symbols, *self.parameters])
        return [name for name in names if name not in self.fixed]

    @property
    def example(self) -> str:
        """What to say of an array that was given for its sizes, which are plain numbers then; nothing where none was."""
        return about_example((self.specs, self.arrays))

    def called(self, inputs: Any, arrays: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the call with these arrays: in order, and by name."""
        return filled(self.specs, inputs), {**self.call, **filled(self.arrays, arrays)}

    def at(self, point: Mapping[str, int]) -> Abstract:
        """The program at a point; whatever the user's code raises becomes one line that names the point."""
        point = {**point, **self.fixed}
        inputs, arrays = tree_at(self.specs, point), tree_at(self.arrays, point)
        own = {name: point[name] for name in self.parameters}
        module = self.module_at(point)
        if module is None:
            return Abstract(self._plain(), {"inputs": inputs, "arrays": arrays})
        if not (linen.is_linen(module) or nnx.is_nnx(module)):
            raise TraceError(
                f"the factory returned {type(module).__name__} at {where(own)}: it must return a flax linen or nnx module; "
                "sc.trace_function (--function) takes a function of arrays"
            )
        if not callable(getattr(module, self.method, None)):
            fields = getattr(type(module), "__dataclass_fields__", {})
            known = [
                n for n, v in vars(type(module)).items() if not n.startswith("_") and n not in fields and callable(v)
            ]
            raise TraceError(
                f"{type(module).__name__} has no method {short(self.method)}: it has {', '.join(['__call__', *known])}"
            )
        return self._linen(module, own, inputs, arrays) if linen.is_linen(module) else self._nnx(module, inputs, arrays)

    def module_at(self, point: Mapping[str, int]) -> Any:
        """The module at a point, nnx ones from a factory with abstract arrays; nothing for a plain function."""
        if self.factory is None:
            return self.module
        return self._build(dict(self._own(point)))

    def _plain(self) -> Callable[..., Any]:
        function = self.function
        assert function is not None

        def run(inputs: Any, arrays: Any) -> Any:
            args, kwargs = self.called(inputs, arrays)
            return function(*args, **kwargs)

        return run

    def _build(self, own: Mapping[str, int]) -> Any:
        """The module: linen ones as they come (they hold no arrays), nnx ones with abstract arrays."""
        factory, key = self.factory, tuple(own.items())
        assert factory is not None
        if key in self._built:
            return self._built[key]
        made: list[Any] = []

        def build() -> Any:
            module = nnx.construct(factory, dict(own))
            made.append(module)
            return None if not nnx.is_nnx(module) else module

        built = nnx.abstract(build)
        if built is None:
            return factory(**own) if linen.is_linen(made[-1]) else made[-1]
        self._built[key] = built
        return built

    @property
    def declares(self) -> bool:
        """Whether traces declare the parameters themselves, as far as was seen: no others need to be known then."""
        return self.mode == "forward" and not self._asks and self.explicit is None

    def at_once(self, point: Mapping[str, int]) -> tuple[Abstract, Any] | None:
        """The program and its jaxpr by one trace that declares the parameters, or nothing where that takes more."""
        if not self.declares:
            return None
        module = self.module_at(point)
        if not linen.is_linen(module) or not callable(getattr(module, self.method, None)):
            return None
        point = {**point, **self.fixed}
        program = self._program(module, tree_at(self.specs, point), tree_at(self.arrays, point))
        found = program.at_once()
        if found is None:
            self._asks = True
            return None
        params, closed = found
        key = self._own(point)
        self._variables[key] = ({} if params is None else {"params": params}, program.inputs)
        return self._linen(module, dict(key), program.inputs, program.arrays), closed

    def _program(self, module: Any, inputs: Any, arrays: Any) -> linen.LinenProgram:
        self.initialisers.checked.clear()
        return linen.LinenProgram(
            module,
            inputs,
            arrays,
            self.called,
            self.method,
            self.rngs,
            self.initialisers,
            tuple(self.axes.items()),
            self.constrained,
        )

    def _linen(self, module: Any, own: Mapping[str, int], inputs: Any, arrays: Any) -> Abstract:
        program = self._program(module, inputs, arrays)
        key = tuple(own.items())
        if key not in self._variables:
            self._variables[key] = (program.variables(), inputs)
        variables, _ = self._variables[key]
        state = {name: tree for name, tree in variables.items() if name != "params"}
        arguments = {"params": variables.get("params"), "state": state, "rngs": program.rngs, "inputs": inputs,
                     "arrays": arrays}  # fmt: skip
        return self._trained(Abstract(program.apply, arguments, collections=True))

    def _own(self, point: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
        """The factory's parameters at a point."""
        whole = {**point, **self.fixed}
        return tuple((name, whole[name]) for name in self.parameters)

    def guessed(self, point: Mapping[str, int]) -> bool:
        """Whether the next trace at a point uses variables that were guessed instead of an initialisation."""
        key = self._own(point)
        guess = None if self.declares or key in self._variables else self._guesses.at({**point, **self.fixed})
        if guess is not None:
            self._variables[key] = (guess, None)
            self.initialisers.as_declared = True
        return guess is not None

    def judge(self, point: Mapping[str, int], right: bool) -> None:
        """The guess at a point was right, or is forgotten."""
        self.initialisers.as_declared = False
        self._guesses.right += right
        self._guesses.wrong += not right
        if not right:
            self.forget(point)

    def keep(self, point: Mapping[str, int]) -> None:
        """The variables that the last trace at a point used are its own."""
        kept = self._variables.get(self._own(point))
        if kept is not None:
            self._guesses.add({**point, **self.fixed}, kept[0])

    def forget(self, own: Mapping[str, int]) -> None:
        """Initialise again at the next trace with these factory parameters."""
        self._variables.pop(self._own(own), None)

    def mend(self, point: Mapping[str, int], problem: linen.StaleVariables) -> bool:
        """Take over one variable as the module declared it at this point; false where only a new start helps.

        A scanned module declares one layer of what is stored for all, so its variables are made anew.
        """
        key = self._own(point)
        variables, made_at = self._variables[key]
        old = variables
        for part in problem.path:
            old = old.get(part) if isinstance(old, dict) else None
        same_rank = old is not None and [len(a.shape) for a in jax.tree.leaves(old)] == [
            len(b.shape) for b in jax.tree.leaves(problem.declared)
        ]
        fixed = linen.mended(variables, problem.path, problem.declared) if same_rank else None
        if fixed is None:
            return False
        self._variables[key] = (fixed, made_at)
        return True

    def stale(self, point: Mapping[str, int]) -> bool:
        """Whether the last trace used variables from another point that it did not declare again itself."""
        return self.borrowed(point) and linen.unchecked(self._variables[self._own(point)][0], self.initialisers)

    def borrowed(self, point: Mapping[str, int]) -> bool:
        """Whether the last trace used variables that were made at another point."""
        kept = self._variables.get(self._own(point))
        return kept is not None and kept[1] != tree_at(self.specs, {**point, **self.fixed})

    def _nnx(self, module: Any, inputs: Any, arrays: Any) -> Abstract:
        program = nnx.NnxProgram(
            nnx.as_abstract(module), self.called, self.method, nnx.variable_types(self.wrt.entries), self.constrained
        )
        own = {"params": program.params, "state": program.state, "rngs": program.rngs}
        return self._trained(Abstract(program.apply, {**own, "inputs": inputs, "arrays": arrays}))

    def _trained(self, program: Abstract) -> Abstract:
        program.trained = self.wrt.mask(program.arguments["params"])
        if self.mode == "forward":
            return program
        forward, hands_over = program.function, self.hands_over

        def step(params: Any, state: Any, rngs: Any, inputs: Any, arrays: Any) -> Any:
            trained, merged = split(params, program.trained)

            def loss(trained: list[Any]) -> tuple[jax.Array, Any]:
                out, updated = forward(merged(trained), state, rngs, inputs, arrays)
                with jax.named_scope(mark("loss")):
                    every = map(jnp.asarray, jax.tree.leaves(out))  # plain numbers too
                    leaves = [leaf for leaf in every if jnp.issubdtype(leaf.dtype, jnp.floating)]
                    first, *others = [summed(leaf) for leaf in leaves] or [jnp.float32(0)]
                    return sum(others, first), updated

            value, pullback, updated = jax.vjp(loss, trained, has_aux=True)
            entered = {id(leaf) for leaf in jax.tree.leaves((params, state, rngs, inputs, arrays))}
            saved = {id(leaf): leaf for leaf in jax.tree.leaves(pullback) if id(leaf) not in entered}
            program.residuals[:] = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in saved.values()]
            (gradients,) = pullback(jnp.ones_like(value))
            results = value, gradients, updated
            return (*results, list(saved.values())) if hands_over else results

        program.function, program.trains = step, True
        return program
