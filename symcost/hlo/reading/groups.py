"""Which devices exchange with each other: the groups of a collective, read from its text, as axes of a mesh.

XLA writes groups as lists, ``{{0,1},{2,3}}``; as a counted grid that is turned, ``[2,4]<=[4,2]T(1,0)``; or as axes of a grid,
``mesh['a'=4,'b'=2] {'a'}``, whose devices may be turned too, ``device_ids=([2,4]T(1,0))``. A permutation names pairs of
sources and targets. Devices are numbered along the mesh, its last axis the fastest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod

from symcost.hlo.reading.ir import Instruction
from symcost.hlo.reading.text import HloError

Group = tuple[int, ...]
_LIST = re.compile(r"\{([\d,\s]*)\}")
_COUNTED = re.compile(r"\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?")
_GRID = re.compile(r"replica_groups=mesh\[([^\]]*)\](?:, device_ids=\(([^)]*(?:\([\d,]+\))?)\))?\s*\{([^}]*)\}")
_TURNED = re.compile(r"\[([\d,]+)\](?:T\(([\d,]+)\))?")
_AXIS = re.compile(r"'([^']+)'\s*=\s*(\d+)")
_PART = re.compile(r"'([^']+)'(?::\((\d+)\)(\d+))?")


def axes_of(i: Instruction, mesh: Mapping[str, int]) -> tuple[tuple[str, ...], int]:
    """The axes of the mesh along which the devices of a collective exchange, and how many are in a group.

    >>> from symcost.hlo import parse
    >>> text = '''HloModule m
    ... ENTRY main {
    ...   x = f32[8,4]{1,0} parameter(0)
    ...   ROOT y = f32[32,4]{1,0} all-gather(x), replica_groups=[2,4]<=[4,2]T(1,0), dimensions={0}
    ... }'''
    >>> axes_of(parse(text).entry.root, {"data": 4, "model": 2})
    (('data',), 4)
    """
    sizes = list(mesh.values())
    if "source_target_pairs" in i.attributes:
        pairs = _listed(i.attributes["source_target_pairs"])
        moved = [at for at in range(len(sizes)) if any(_differ(pair, at, sizes) for pair in pairs)]
        return _named(moved, mesh), prod(sizes[at] for at in moved)
    group = max(groups(i, prod(sizes)), key=len)
    moved = [at for at in range(len(sizes)) if _differ(group, at, sizes)]
    return _named(moved, mesh), len(group)


def groups(i: Instruction, devices: int) -> Sequence[Group]:
    """The groups of a collective; one of all devices where none are named. Errors: text in another form."""
    text = i.attributes.get("replica_groups", "").strip()
    if text in ("", "{}"):
        return [tuple(range(devices))]
    if counted := _COUNTED.match(text):
        shape, grid, order = (_numbers(part or "") for part in counted.groups())
        ids = _turned(list(range(prod(grid))), grid, order or tuple(range(len(grid))))
        size = prod(shape[1:])
        return [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]
    if along := _GRID.search(i.tail):
        return _along(along[1], along[3], along[2] or "")
    listed = _listed(text)
    if not listed:
        raise HloError(f"groups {text[:60]!r} of {i.name!r} are in no known form: give HLO text as XLA prints it")
    return listed


def _listed(text: str) -> list[Group]:
    return [_numbers(part) for part in _LIST.findall(text) if part.strip()]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part.strip())


def _named(places: Sequence[int], mesh: Mapping[str, int]) -> tuple[str, ...]:
    names = list(mesh)
    return tuple(names[at] for at in places)


def _differ(ids: Group, axis: int, sizes: Sequence[int]) -> bool:
    """Whether devices differ in their place along an axis."""
    behind = prod(sizes[axis + 1 :])
    return len({number // behind % sizes[axis] for number in ids}) > 1


def _turned(ids: list[int], grid: Sequence[int], order: Sequence[int]) -> list[int]:
    """The numbers of a grid, read with its axes in another order."""
    strides = [prod(grid[at + 1 :]) for at in range(len(grid))]
    places = [0]
    for at in order:
        places = [start + step * strides[at] for start in places for step in range(grid[at])]
    return [ids[place] for place in places]


def _numbered(grid: str, devices: int) -> list[int]:
    """The devices in the order of a grid that names them; counted where it does not."""
    if not grid:
        return list(range(devices))
    if turned := _TURNED.fullmatch(grid):
        shape, order = _numbers(turned[1]), _numbers(turned[2] or "")
        return _turned(list(range(devices)), shape, order or tuple(range(len(shape))))
    return list(_numbers(grid))


def _along(grid: str, named: str, numbered: str) -> list[Group]:
    """Groups along some axes of a grid, or along parts of them: ``'a':(2)4`` is the part of size 4 behind one of size 2."""
    sizes = {name: int(size) for name, size in _AXIS.findall(grid)}
    split: list[tuple[int, bool]] = []  # the grid's axes, and the parts of those that are cut, from slow to fast
    wanted: dict[str, list[tuple[int, int]]] = {}
    for name, before, size in _PART.findall(named):
        wanted.setdefault(name, []).append((int(before or 1), int(size or sizes[name])))
    for name, size in sizes.items():
        left = 1
        for before, length in sorted(wanted.get(name, [])):
            split += [(before // left, False), (length, True)]
            left = before * length
        split.append((size // left, False))
    shape = [size for size, _ in split]
    apart = [at for at, (_, inside) in enumerate(split) if not inside]
    inside = [at for at, (_, inside) in enumerate(split) if inside]
    ids = _turned(_numbered(numbered, prod(shape)), shape, [*apart, *inside])
    size = prod(shape[at] for at in inside)
    return [tuple(ids[start : start + size]) for start in range(0, len(ids), size)]
