"""A plan from the command line, and back to its texts: ``--mesh AXIS=SIZE``, ``--shard PATH=AXES`` and what goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.costs.mesh.plan import Entry, Plan
from symcost.errors import SymcostError
from symcost.reading.numerals import short
from symcost.sources.texts import entries, pairs

NONE, ALSO = "-", "+"
"""For a dimension that nothing cuts; between the axes of one that several cut."""


def plan_of(
    mesh: Sequence[str] | None, shard: Sequence[str] | None, constrain: Sequence[str] | None = None,
    rule: Sequence[str] | None = None,
) -> Plan | None:  # fmt: skip
    """The plan; nothing where none is given.

    >>> plan_of(["data=X", "model=8"], ["inputs/0=data+model", "**/up/kernel=-,model"])
    Plan(mesh={'data': 'X', 'model': 8}, shard={'inputs/0': (('data', 'model'),), '**/up/kernel': (None, 'model')})
    >>> plan_of(["data=X"], None, ["**/mlp=data,-"], ["batch=data", "embed=-"]).rules
    {'batch': 'data', 'embed': None}
    """
    read = entries("--shard", shard, _split, "PATH=AXIS,...", "'**/up/kernel=-,model'")
    laid = entries("--constrain", constrain, _split, "PATH=AXIS,...", "'**/mlp=data,-,-'")
    rules = entries("--rule", rule, _split, "LOGICAL=AXIS", "mlp=model")
    alone = next((f"--{name} {does}" for name, given, does in (
        ("shard", read, "cuts arrays"), ("constrain", laid, "lays what modules give"), ("rule", rules, "takes names"),
    ) if given), "")  # fmt: skip
    if not mesh and not alone:
        return None
    if not mesh:
        raise SymcostError(f"{alone} along the axes of a mesh: give its axes with --mesh, as --mesh data=X")
    for each in mesh:
        if "," in each:
            own = " ".join(f"--mesh {part.strip()}" for part in each.split(","))
            raise SymcostError(f"--mesh {short(each)} is of several axes: give each its own, as {own}")
    sizes = {
        axis: int(text) if text.isascii() and text.isdecimal() else text for axis, text in pairs("--mesh", mesh).items()
    }
    shards, constraint = (
        {path: tuple(map(_entry, text.split(","))) for path, text in each.items()} for each in (read, laid)
    )
    return Plan(sizes, shards, {name: _entry(text) for name, text in rules.items()}, constraint)


def plan_texts(plan: Plan) -> list[str]:
    """The options that make the plan.

    >>> plan_texts(Plan({"data": "X"}, {"inputs/0": ("data", None)}))
    ['--mesh', 'data=X', '--shard', 'inputs/0=data,-']
    """
    texts = [("--mesh", f"{axis}={size}") for axis, size in plan.mesh.items()]
    for option, patterns in (("--shard", plan.shard), ("--constrain", plan.constraint)):
        texts += [(option, f"{path}={','.join(map(_text, cut))}") for path, cut in patterns.items()]
    texts += [("--rule", f"{name}={_text(entry)}") for name, entry in plan.rules.items()]
    return [part for text in texts for part in text]


def _split(text: str) -> tuple[str, str] | None:
    path, _, axes = text.rpartition("=")
    return (path, axes) if path else None


def _entry(text: str) -> Entry:
    names = text.split(ALSO)
    return None if text in (NONE, "", "None") else text if len(names) == 1 else tuple(names)


def _text(entry: Entry) -> str:
    return NONE if entry is None else entry if isinstance(entry, str) else ALSO.join(entry)
