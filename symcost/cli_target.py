"""What the verbs of estimates work on: a reference network by name, or a model that is traced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.cli_input import bind, integers, load, pairs, values
from symcost.cli_output import Progress
from symcost.errors import SymcostError
from symcost.saved.face import is_saved
from symcost.saved.face import load as load_saved


def table_of(
    target: str, specs: Sequence[str] | None, set_: Sequence[str] | None, arg: Sequence[str] | None,
    call: Sequence[str] | None, mode: str = "forward",
) -> Any:  # fmt: skip
    """The cost table: ``MODEL`` with ``--set`` for its parameters, ``PKG.MOD:NAME`` with specs, traced, or a saved file."""
    if is_saved(target):
        if specs or arg or call or mode != "forward":
            raise SymcostError(f"specs, --arg, --call and --mode are for a model to trace: {target} is a saved table")
        saved = load_saved(target)
        at = integers("--set", set_)
        return saved.subs(**at) if at else saved
    if ":" in target:
        with Progress() as progress:
            from symcost import trace

            found = bind(load(target), values("--arg", arg), target)
            costs = trace(found, *(specs or ()), call=values("--call", call), mode=mode, on_trace=progress)
            at = integers("--set", set_)
            return costs.subs(**at) if at else costs
    if specs or arg or call or mode != "forward":
        raise SymcostError(f"specs, --arg, --call and --mode are for a model to trace: {target!r} is no PKG.MOD:NAME")
    from symcost.models.catalog import literal, reference

    return reference(target)(**{name: literal(text) for name, text in pairs("--set", set_)})
