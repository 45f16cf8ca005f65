"""What the verbs work on: a saved file, a reference network by name, or a model that is traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.cli.output import Progress
from symcost.costs.saved.face import is_saved
from symcost.costs.saved.face import load as load_saved
from symcost.errors import SymcostError
from symcost.sources.texts import integers, pairs, values
from symcost.sources.tracing import Tracing

Texts = Sequence[str] | None


def table_of(target: str, specs: Texts, set_: Texts, arg: Texts, call: Texts) -> Any:
    """The cost table of a target whose options are texts: see :func:`table_by`."""
    return table_by(target, specs, set_, Tracing(arg=values("--arg", arg), call=values("--call", call)))


def table_by(target: str, specs: Texts, set_: Texts, how: Tracing) -> Any:
    """The cost table: ``MODEL`` with ``--set`` for its parameters, ``PKG.MOD:NAME`` with specs, traced, or a saved file."""
    if is_traced(target):
        with Progress() as progress:
            costs = how.table(target, specs or (), progress)
            at = integers("--set", set_)
            return costs.subs(**at) if at else costs
    saved = is_saved(target)
    if specs or how:
        what = f"{target} is a saved table" if saved else f"{target!r} is no PKG.MOD:NAME"
        raise SymcostError(f"specs, --arg, --call and --mode are for a model to trace: {what}")
    if saved:
        costs = load_saved(target)
        at = integers("--set", set_)
        return costs.subs(**at) if at else costs
    from symcost.models.catalog import literal, reference

    return reference(target)(**{name: literal(text) for name, text in pairs("--set", set_)})


def is_traced(target: str) -> bool:
    """Whether a target is the program of a model."""
    return ":" in target and not is_saved(target)


def is_target(name: str) -> bool:
    """Whether a name is a program, a saved file or a reference network, rather than a git revision."""
    from symcost.models.catalog import REFERENCES

    return is_traced(name) or is_saved(name) or name in REFERENCES


def tables_of(targets: Sequence[str], specs: Texts, set_: Texts, how: Tracing) -> list[Any]:
    """Tables side by side: specs and options of tracing are for what is traced, ``--set`` for the others, if any."""
    traced = [is_traced(target) for target in targets]
    if (specs or how) and not any(traced):
        raise SymcostError(
            f"specs, --arg, --call and --mode are for a model to trace: {' and '.join(targets)} are no PKG.MOD:NAME"
        )
    return [
        table_by(target, specs, set_ if all(traced) else None, how)
        if program
        else table_by(target, None, set_, Tracing())
        for target, program in zip(targets, traced, strict=True)
    ]
