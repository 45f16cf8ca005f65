"""A plan from the command line: ``--mesh AXIS=SIZE`` and ``--shard PATH=AXES``, and back to these texts."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.costs.mesh.plan import Entry, Plan
from symcost.errors import SymcostError
from symcost.sources.texts import entries, pairs

NONE, ALSO = "-", "+"
"""For a dimension that nothing cuts; between the axes of one that several cut."""


def plan_of(mesh: Sequence[str] | None, shard: Sequence[str] | None) -> Plan | None:
    """The plan; nothing where none is given.

    >>> plan_of(["data=X", "model=8"], ["inputs/0=data+model", "**/up/kernel=-,model"])
    Plan(mesh={'data': 'X', 'model': 8}, shard={'inputs/0': (('data', 'model'),), '**/up/kernel': (None, 'model')})
    """
    if not mesh and not shard:
        return None
    read = entries("--shard", shard, _split, "PATH=AXIS,...", "'**/up/kernel=-,model'")
    if not mesh:
        raise SymcostError("--shard cuts arrays along the axes of a mesh: give its axes with --mesh, as --mesh data=X")
    sizes = {
        axis: int(text) if text.isascii() and text.isdecimal() else text for axis, text in pairs("--mesh", mesh).items()
    }
    return Plan(sizes, {path: tuple(map(_entry, text.split(","))) for path, text in read.items()})


def plan_texts(plan: Plan) -> list[str]:
    """The options that make the plan.

    >>> plan_texts(Plan({"data": "X"}, {"inputs/0": ("data", None)}))
    ['--mesh', 'data=X', '--shard', 'inputs/0=data,-']
    """
    mesh = [part for axis, size in plan.mesh.items() for part in ("--mesh", f"{axis}={size}")]
    return mesh + [
        part for path, cut in plan.shard.items() for part in ("--shard", f"{path}={','.join(map(_text, cut))}")
    ]


def _split(text: str) -> tuple[str, str] | None:
    path, _, axes = text.rpartition("=")
    return (path, axes) if path else None


def _entry(text: str) -> Entry:
    names = text.split(ALSO)
    return None if text in (NONE, "") else text if len(names) == 1 else tuple(names)


def _text(entry: Entry) -> str:
    return NONE if entry is None else entry if isinstance(entry, str) else ALSO.join(entry)
