"""What the command line is given: ``NAME=VALUE`` options and the model's import path. Nothing is ever evaluated."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from symcost.costs.table import CostTable
from symcost.errors import SpecError, SymcostError
from symcost.formulas.measures import ELEMENTS
from symcost.reading.nearest import near
from symcost.reading.numerals import amount, bare, short, whole
from symcost.referee.compilers.start import start_jax
from symcost.system.collector import importing

_WORDS = {"true": True, "false": False, "none": None}


def several(given: Sequence[str] | None) -> list[str]:
    """``NAME=VALUE`` texts, of which one may give several names.

    >>> several(["n=1,r=224", "sizes=1,2", "d=3"])
    ['n=1', 'r=224', 'sizes=1,2', 'd=3']
    """
    return [part for text in given or () for part in re.split(r",(?=\s*[^\W\d]\w*=)", text)]


def pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` texts: values by name."""

    def split(text: str) -> tuple[str, str] | None:
        name, equals, value = text.partition("=")
        return (name.strip(), value) if equals and name.strip().isidentifier() else None

    return entries(option, given, split, "NAME=VALUE", "n=1")


def entries(
    option: str, given: Sequence[str] | None, split: Callable[[str], tuple[str, str] | None], form: str, example: str
) -> dict[str, str]:
    """Texts of a form, cut into what is named and its value; a name given twice is an error."""
    read: dict[str, str] = {}
    for text in given or ():
        pair = split(text)
        if pair is None:
            raise SymcostError(f"{option} {short(text)} must be {form}, as {option} {example}")
        name, value = pair
        if name in read:
            raise SymcostError(f"{option} gives {short(name)} twice: {bare(read[name])} and {bare(value)}")
        read[name] = value.strip()
    return read


def integers(option: str, given: Sequence[str] | None) -> dict[str, int]:
    """``NAME=INT`` options.

    >>> integers("--set", ["n=1", "d=64"])
    {'n': 1, 'd': 64}
    """
    return {name: integer(f"{option} {bare(name)}", text) for name, text in pairs(option, given).items()}


def numbers(option: str, given: Sequence[str] | None) -> dict[str, tuple[int, ...]]:
    """``NAME=INT,INT,...`` options."""
    return {
        name: tuple(integer(f"{option} {bare(name)}", part) for part in text.split(","))
        for name, text in pairs(option, given).items()
    }


def integer(what: str, text: str) -> int:
    """The integer of a text, as conditions have it too, which errors call by its option and name.

    >>> integer("--at n", "1_000"), integer("--at n", "1e3"), integer("--at n", "25 k")
    (1000, 1000, 25000)
    """
    with suppress(ValueError):
        return whole(text)
    with suppress(ValueError):
        number, letters = amount(text)
        exact = number * ELEMENTS.letters[letters] if letters in ELEMENTS.letters else None
        if exact is not None and exact.denominator == 1:
            return exact.numerator
    raise SymcostError(f"{what}={short(text)} must be an integer")


def values(option: str, given: Sequence[str] | None) -> dict[str, Any]:
    """``NAME=VALUE`` options: Python literals, true/false/none in any case, and otherwise the text itself.

    To a call a text with brackets behind a word is an array, ``mask=bool[n,N]``, alone or inside of a literal:
    ``state={"h": "float32[n,d]"}``.

    >>> values("--call", ["train=false", "k=(1, 2)", "mask=bool[n,N]"])
    {'train': False, 'k': (1, 2), 'mask': 'bool[n,N]'}
    """
    return {name: literal(text) for name, text in pairs(option, given).items()}


def inputs(given: Sequence[str] | None) -> tuple[Any, ...]:
    """Inputs by place: texts of arrays, and dicts, lists or tuples of them as Python writes these.

    >>> inputs(["int32[n,N]", '{"x": "float32[n,d]", "keep": "bool[n]"}'])
    ('int32[n,N]', {'x': 'float32[n,d]', 'keep': 'bool[n]'})
    """
    found = []
    for text in given or ():
        whole = literal(text) if text.lstrip()[:1] in ("{", "(", "[") else text
        if isinstance(whole, str) and whole == text and text.lstrip()[:1] in ("{", "(", "["):
            raise SpecError(
                f"cannot read {short(text)} as a tree of inputs: write it as Python does, every array in quotes, as "
                '\'{"x": "float32[n,d]"}\''
            )
        if _PAIR.fullmatch(text):
            raise SpecError(f"{short(text)} is no input: each value of a symbol has an option of its own, --at {text}")
        found.append(whole)
    return tuple(found)


_PAIR = re.compile(r"\w+=[\w.*+-]+")


def shares(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """``PATTERN=SHARE`` options: what stands behind the last ``=`` is the share.

    >>> shares("--active", ["**/experts/**=k/E"])
    {'**/experts/**': 'k/E'}
    """

    def split(text: str) -> tuple[str, str] | None:
        pattern, _, share = text.rpartition("=")
        return (pattern, share) if pattern and share.strip() else None

    return entries(option, given, split, "PATTERN=SHARE", "'**/experts/**=k/E'")


def literal(text: str) -> Any:
    """A Python literal, or the text where it is none."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def load(target: str) -> Any:
    """The object at ``PKG.MOD:NAME``; modules of the current directory come first."""
    module_name, colon, name = target.partition(":")
    if not colon or not name or not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        model = (
            f"{_dotted(module_name)}:{name or 'NAME'}" if module_name.endswith(".py") else "examples.resnet:resnet50"
        )
        raise SymcostError(f"cannot read {short(target)} as a model: write PKG.MOD:NAME, as {model}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    with importing():
        start_jax()
        loaded = _imported(module_name)
    for part in name.split("."):
        if not hasattr(loaded, part):
            raise SymcostError(f"{module_name} has no {short(name)}{_nearest(part, loaded)}")
        loaded = getattr(loaded, part)
    return loaded


def made(found: Any) -> Any:
    """Costs that ``PKG.MOD:NAME`` names, or that its function without parameters makes; None for a model to trace."""
    if isinstance(found, CostTable):
        return found
    if not inspect.isfunction(found) or inspect.signature(found).parameters:
        return None
    try:
        costs = found()
    except Exception:  # whatever it is, tracing says it with its place
        return None
    return costs if isinstance(costs, CostTable) else None


def called(found: Any, target: str) -> Any:
    """What a function without arguments makes; whatever it raises is one line."""
    try:
        return found() if callable(found) else found
    except SymcostError:
        raise
    except Exception as problem:  # whatever the user's function does
        raise SymcostError(f"{target} cannot be called: {type(problem).__name__}: {problem}") from None


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        missing = problem.name or ""
        if name == missing or name.startswith(missing + "."):
            cure = (
                f"write the file {name} as {_dotted(name)}"
                if name == missing and name.endswith(".py")
                else "check its name"
            )
            raise SymcostError(
                f"there is no module {short(missing)} here or among the installed packages: {cure}"
            ) from None
        raise SymcostError(f"{name} cannot be imported: it needs {missing!r}, which is not installed") from None
    except (Exception, SystemExit) as problem:  # whatever the user's module does while it is imported
        raise SymcostError(f"{name} cannot be imported: {type(problem).__name__}: {problem}") from None


def _dotted(file: str) -> str:
    """A file's name as Python imports it.

    >>> _dotted("./models/net.py")
    'models.net'
    """
    return ".".join(part for part in file.removesuffix(".py").split("/") if part not in ("", "."))


def _nearest(part: str, found: Any) -> str:
    public = [name for name in dir(found) if not name.startswith("_")]
    alike = near(part, public) or [n for n in public if callable(getattr(found, n, None))][:5]
    return f": it has {', '.join(alike)}" if alike else ""


def bind(factory: Any, fixed: Mapping[str, Any], target: str) -> Any:
    """The factory with some parameters fixed, so that only the others become symbols."""
    if not fixed:
        return factory
    if not callable(factory) or not (inspect.isroutine(factory) or isinstance(factory, type)):
        raise SymcostError(f"--arg fixes parameters of a factory: {target} is a module as it is")
    from symcost.tracing.program.modules import nnx  # brings jax: only when a model is about to be traced

    parameters = nnx.parameters_of(factory)
    for name in fixed:
        if name not in parameters:
            raise SymcostError(
                f"--arg {bare(name)}: {bare(target)} has no such parameter; it has {', '.join(parameters) or 'none'}"
            )
    filled = {*fixed, "rngs"} if nnx.is_nnx_class(factory) else {*fixed}

    def bound(**own: Any) -> Any:
        return nnx.construct(factory, {**own, **fixed})

    kept = [
        p.replace(kind=p.KEYWORD_ONLY) for p in parameters.values() if p.name not in filled and p.kind not in _VARIADIC
    ]
    bound.__name__ = getattr(factory, "__name__", "factory")
    bound.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    return bound


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
