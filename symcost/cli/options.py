"""What every verb that takes a model takes besides: values, and the options of tracing. Declared here and nowhere else."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast, get_type_hints

import typer

from symcost.cli import completion
from symcost.cli.output import checked
from symcost.costs.dtypes import bits_of
from symcost.errors import SymcostError
from symcost.estimate.bytes.memory import check_rule
from symcost.estimate.time.work import check_model
from symcost.reading.choices import Rule
from symcost.reading.numerals import short
from symcost.sources.source import Source, is_traced
from symcost.sources.texts import inputs, pairs, several
from symcost.sources.tracing import TracingOptions
from symcost.system.interrupt import PROGRAM

Texts = list[str] | None
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        autocompletion=completion.models,
        help="A saved table, a reference network (symcost models lists them), or PKG.MOD:NAME to trace.",
    ),
]
Specs = Annotated[
    Texts,
    typer.Argument(
        metavar="SPEC...",
        help="Inputs of a model to trace, such as 'float32\\[n,224,224,3]', or dicts of them; names are symbols.",
    ),
]


def _check_device(name: str) -> None:
    from symcost.devices import device

    device(name)


_DEVICE = typer.Option(
    "--device",
    metavar="DEVICE",
    autocompletion=completion.devices,
    help="symcost devices lists them; or a TOML file.",
    callback=checked(_check_device),
)
On = Annotated[str, _DEVICE]
MaybeOn = Annotated[str | None, _DEVICE]


def tell_usual(given: str | None, usual: str) -> None:
    """Tell on standard error which device an answer is of, where none was given."""
    if given is None:
        print(f"{PROGRAM}: note: on {usual}, as no --device is given", file=sys.stderr)


Latency = Annotated[
    str, typer.Option("--model", help="Latency: whole, roofline or fused.", callback=checked(check_model))
]
Dtype = Annotated[
    str | None,
    typer.Option(help="Number type of operations and activations; as traced unless given.", callback=checked(bits_of)),
]


def _is_axis(text: str) -> bool:
    """Whether a rule is of a logical axis, and not of the peak."""
    return "=" in text


def _of_axes(given: Sequence[str] | None) -> list[str]:
    """Of the rules of a verb that has those of the peak too, the others."""
    return [each for each in given or () if _is_axis(each)]


def _check_rules(given: Sequence[str]) -> None:
    for each in given:
        if not _is_axis(each):
            check_rule(each)


RULE = Annotated[
    Texts,
    typer.Option(
        metavar="NAME=AXIS",
        help="The mesh axis of a model's logical axis, - for none; or the peak's rule: liveness, textbook.",
        callback=checked(_check_rules),
    ),
]
TRACING: Mapping[str, Any] = {
    "arg": Annotated[Texts, typer.Option(metavar="NAME=VALUE", help="Fix a parameter of the factory.")],
    "call": Annotated[
        Texts, typer.Option(metavar="NAME=VALUE", help="Keyword argument of the call: train=false, mask=bool\\[n,N].")
    ],
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
    "upto": Annotated[Texts, typer.Option(metavar="NAME=INT", help="Try a bounded symbol up to this.")],
    "max_pieces": Annotated[
        int | None, typer.Option(min=1, metavar="INT", help="Of how many pieces a form may be: 4 unless given.")
    ],
    "method": Annotated[str, typer.Option(help="The module's method to trace.")],
    "referee": Annotated[
        bool, typer.Option("--referee/--no-referee", help="Compare the xla figures with XLA's own count at one point.")
    ],
    "function": Annotated[bool, typer.Option("--function", help="NAME is a plain JAX function of the inputs.")],
    "mesh": Annotated[
        Texts, typer.Option(metavar="AXIS=SIZE", help="An axis of a mesh of devices: a number or a symbol.")
    ],
    "shard": Annotated[
        Texts,
        typer.Option(
            metavar="PATH=AXIS,-,...", help="Mesh axes of arrays by path: 'inputs/0=data', '**/up/kernel=-,model'."
        ),
    ],
    "constrain": Annotated[
        Texts,
        typer.Option(metavar="PATH=AXIS,-,...", help="Mesh axes of what modules give by path: '**/mlp=data,-,-'."),
    ],
    "rule": RULE,
}
"""The options of tracing."""
VALUES: Mapping[str, Any] = {
    "at": Annotated[
        Texts,
        typer.Option(
            "--at",
            metavar="NAME=VALUE",
            help="A symbol's value, or several: n=1,r=224; for a reference network's parameter a symbol too, n=n.",
        ),
    ],
    "set_": Annotated[Texts, typer.Option("--set", metavar="NAME=VALUE", hidden=True)],
    "check": Annotated[
        bool | None,
        typer.Option(
            "--check/--no-check",
            help="Compare the numbers at a point with a fresh trace there; on for a program at one.",
        ),
    ],
    "given_": Annotated[Texts, typer.Option("--given", metavar="NAME=VALUE", hidden=True)],
}
"""``--at``, its first names, and whether what is counted there is compared."""
WIDTHS: Mapping[str, Any] = {
    "dtype": Dtype,
    "weights": Annotated[
        str | None, typer.Option(help="Number type of the weights, where it is another.", callback=checked(bits_of))
    ],
    "bits": Annotated[int | None, typer.Option(min=1, help="Bits of every weight, in the place of a number type.")],
    "rule": RULE,
}
"""How wide numbers are in memory, and which of them are alive at once."""
DEFAULTS = {
    "mode": "forward", "method": "__call__", "referee": True, "function": False, "all_": False, "si": False,
    "format_": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Widths:
    """Number types of operations and weights, and the rule of the peak."""

    dtype: str | None
    weights: str | int | None
    rule: Rule

    @classmethod
    def of(cls, typed: Mapping[str, Any]) -> Widths:
        """The options, of which the weights have one width."""
        weights, bits = typed["weights"], typed["bits"]
        if weights is not None and bits is not None:
            raise SymcostError(
                f"--weights {short(weights)} and --bits {bits} both say how wide the weights are: leave one"
            )
        rule = next((each for each in reversed(typed["rule"] or ()) if not _is_axis(each)), "liveness")
        return cls(typed["dtype"], weights if bits is None else bits, cast(Rule, rule))


@dataclass(frozen=True)
class Given:
    """The options of a verb as they were typed: values in three places, and how a model is traced."""

    options: Mapping[str, Any]
    at: Mapping[str, str]
    set_: Mapping[str, str]
    given_: Mapping[str, str]
    check: bool | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Given:
        """The options; what is no ``NAME=VALUE``, or is said twice, is an error."""
        read = [pairs(flag, several(options[name])) for name, flag in _FLAGS.items()]
        return cls({name: options[name] for name in TRACING}, *read, check=options["check"])

    def source(self, model: str, specs: Sequence[str] | None, *, point: bool = False, verdict: bool = False) -> Source:
        """The one model of a verb, checked.

        With ``point`` the verb takes the values of ``--at`` itself; with ``verdict`` it needs the program of the model.
        """
        asked = _joined(at=self.at, given=self.given_)
        put, left = (self.set_, asked) if point else (_joined(at=asked, set=self.set_), {})
        how = TracingOptions.read(self.options, is_traced(model))
        named = Source(model, inputs(specs), how, put, left, compare=self.check)
        return named.check_program() if verdict else named.check()

    def sources(self, models: Sequence[str], specs: Sequence[str] | None) -> list[Source]:
        """Models side by side, at points: inputs and options of tracing are for what is traced, ``--set`` for the others."""
        programs = [is_traced(model) for model in models]
        sources, point = [], _joined(at=self.at, given=self.given_)
        for model, program in zip(models, programs, strict=True):
            mine = program or not any(programs)
            how = TracingOptions.read(self.options, program) if mine else TracingOptions()
            put = self.set_ if not program or all(programs) else {}
            sources.append(Source(model, inputs(specs) if mine else (), how, put, point, compare=self.check).check())
        return sources

    def without_number(self, name: str) -> tuple[int | None, Given]:
        """A positive number that stands alone where ``NAME=VALUE`` is meant, and the options without it."""
        texts = self.options[name] or []
        numbers = [text for text in texts if text.isascii() and text.isdecimal() and int(text)]
        kept = [text for text in texts if text not in numbers]
        return (int(numbers[-1]) if numbers else None), replace(self, options={**self.options, name: kept})


def _joined(**given: Mapping[str, str]) -> dict[str, str]:
    """Values of two options that mean the same; a name that both give is an error."""
    (first, own), (second, others) = given.items()
    for name in others:
        if name in own:
            raise SymcostError(
                f"--{first} and --{second} both give {short(name)}: {short(own[name])} and {short(others[name])}"
            )
    return {**own, **others}


_FLAGS = {"at": "--at", "set_": "--set", "given_": "--given"}


Verb = Callable[..., None]


def takes(value: str, options: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Any]) -> Callable[[Verb], Verb]:
    """A decorator of verbs that adds options behind their own; the verb gets what is ``made`` of them as one ``value``."""

    def added(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def wrapped(**typed: Any) -> None:
            own = {name: each for name, each in typed.items() if name not in options or name in parameters}
            mine = {name: _of_axes(typed[name]) if name in parameters else typed[name] for name in options}
            verb(**own, **{value: read(mine)})

        hints = get_type_hints(verb, include_extras=True)
        hints = {name: hint for name, hint in hints.items() if name not in (value, "return")} | dict(options)
        parameters = inspect.signature(verb).parameters
        kept = [parameters[name].replace(annotation=hints[name], kind=_KIND) for name in parameters if name != value]
        new = [name for name in options if name not in parameters]  # the others are of both
        more = [inspect.Parameter(n, _KIND, annotation=options[n], default=DEFAULTS.get(n)) for n in new]
        wrapped.__annotations__ = hints
        wrapped.__signature__ = inspect.Signature([*kept, *more])  # type: ignore[attr-defined]
        return wrapped

    return added


_KIND = inspect.Parameter.KEYWORD_ONLY
takes_model = takes("given", {**VALUES, **TRACING}, Given.of)
"""The verb takes a model: it gets its values and the options of tracing as ``given``."""
takes_widths = takes("widths", WIDTHS, Widths.of)
"""The verb estimates bytes: it gets number types and the rule of the peak as ``widths``."""
