"""The options of tracing, which every verb that traces takes: on the command line, of a budget, for another process."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, get_type_hints

import typer

from symcost.errors import SymcostError
from symcost.sources.texts import bind, integers, load, numbers, shares, values

Texts = list[str] | None
OPTIONS: Mapping[str, Any] = {
    "call": Annotated[
        Texts, typer.Option(metavar="NAME=VALUE", help="Keyword argument of the call, such as train=false.")
    ],
    "arg": Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of the factory.")],
    "free": Annotated[Texts, typer.Option(metavar="NAME", help="Make a parameter with a default a symbol too.")],
    "steps": Annotated[Texts, typer.Option(metavar="NAME=INT", help="The symbol is a multiple of this.")],
    "at_least": Annotated[Texts, typer.Option(metavar="NAME=INT", help="The symbol is at least this.")],
    "samples": Annotated[Texts, typer.Option(metavar="NAME=INT,INT,...", help="Values of the symbol to trace at.")],
    "axis": Annotated[Texts, typer.Option(metavar="NAME=INT", help="Size of a named axis (collectives).")],
    "rng": Annotated[Texts, typer.Option(metavar="NAME", help="A further random stream of a linen module.")],
    "mode": Annotated[str, typer.Option(help="forward, or train: forward, backward and what is kept between them.")],
    "wrt": Annotated[
        Texts,
        typer.Option(
            metavar="PATTERN", help="What is trained, by path: '**/lora/**', 'head/*'; '!**/bias' leaves out."
        ),
    ],
    "active": Annotated[
        Texts,
        typer.Option(metavar="PATTERN=SHARE", help="Share of parameters that a token uses: '**/experts/**=k/E'."),
    ],
    "method": Annotated[str, typer.Option(help="The module's method to trace.")],
    "referee": Annotated[
        bool, typer.Option("--referee/--no-referee", help="Compare the xla figures with XLA's own count at one point.")
    ],
    "function": Annotated[bool, typer.Option("--function", help="NAME is a plain JAX function of the inputs.")],
}
"""The options of ``symcost trace`` that say how."""
DEFAULTS = {"mode": "forward", "method": "__call__", "referee": True, "function": False}


@dataclass(frozen=True)
class Tracing:
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
    method: str = "__call__"
    referee: bool = True
    function: bool = False

    def __bool__(self) -> bool:
        return bool(self.given)

    @property
    def given(self) -> dict[str, Any]:
        """What is not as it is by default."""
        return {each.name: made for each in fields(self) if (made := getattr(self, each.name)) != _default(each)}

    def table(self, target: str, specs: Sequence[str], on_trace: Callable[[int], None] = lambda count: None) -> Any:
        """The costs of ``PKG.MOD:NAME``."""
        given = self.given
        if given.pop("function", False):
            refused = [name for name in ("arg", "free", "mode", "wrt", "active", "method", "rngs") if name in given]
            if refused:
                raise SymcostError(
                    "--function takes none of --arg, --free, --mode, --wrt, --active, --method, --rng: use --call"
                )
            found = load(target)  # which starts jax
            from symcost.tracing.face import trace_function

            return trace_function(found, *specs, **given, on_trace=on_trace)
        found = bind(load(target), given.pop("arg", {}), target)
        from symcost.tracing.face import trace

        return trace(found, *specs, **given, on_trace=on_trace)

    def texts(self) -> list[str]:
        """The options as ``symcost trace`` takes them."""
        made: list[str] = []
        for name, value in self.given.items():
            option = f"--{_OPTION.get(name, name).replace('_', '-')}"
            if isinstance(value, Mapping):
                made += [part for key, each in value.items() for part in (option, f"{key}={_text(name, each)}")]
            elif isinstance(value, str | bool):
                made += [_FLAG[option, value]] if isinstance(value, bool) else [option, value]
            else:
                made += [part for each in value for part in (option, each)]
        return made


_OPTION = {"axes": "axis", "rngs": "rng"}
_FLAG = {("--function", True): "--function", ("--referee", False): "--no-referee"}


def _text(name: str, value: Any) -> str:
    if name == "samples":
        return ",".join(map(str, value))
    return str(value) if name == "active" else repr(value)


def _default(each: Any) -> Any:
    return each.default_factory() if callable(each.default_factory) else each.default


def tracing(verb: Callable[..., None]) -> Callable[..., None]:
    """The verb with the options of tracing added behind its own; it gets them as one value, ``how``."""

    @functools.wraps(verb)
    def wrapped(**given: Any) -> None:
        own = {name: value for name, value in given.items() if name not in OPTIONS}
        verb(**own, how=_read({name: given[name] for name in OPTIONS}))

    hints = {n: hint for n, hint in get_type_hints(verb, include_extras=True).items() if n not in ("how", "return")}
    hints |= OPTIONS
    kept = inspect.signature(verb).parameters
    kind = inspect.Parameter.KEYWORD_ONLY
    wrapped.__annotations__ = hints
    wrapped.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        *(kept[name].replace(annotation=hints[name], kind=kind) for name in kept if name != "how"),
        *(inspect.Parameter(name, kind, annotation=hints[name], default=DEFAULTS.get(name)) for name in OPTIONS),
    ])  # fmt: skip
    return wrapped


def _read(given: Mapping[str, Any]) -> Tracing:
    return Tracing(
        arg=values("--arg", given["arg"]), call=values("--call", given["call"]), free=tuple(given["free"] or ()),
        steps=integers("--steps", given["steps"]), at_least=integers("--at-least", given["at_least"]),
        samples=numbers("--samples", given["samples"]), axes=integers("--axis", given["axis"]),
        rngs=tuple(given["rng"] or ()), mode=given["mode"], wrt=tuple(given["wrt"] or ()),
        active=shares("--active", given["active"]), method=given["method"], referee=given["referee"],
        function=given["function"],
    )  # fmt: skip
