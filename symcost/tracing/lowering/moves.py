"""What the primitives that move, choose or reinterpret data become on the way to HLO."""

from __future__ import annotations

from typing import Any

import numpy as np

from symcost.tracing.lowering import fold
from symcost.tracing.lowering.fold import is_number
from symcost.tracing.lowering.node import Lowering, Node, Shape, builds
from symcost.tracing.lowering.parts import PART, is_joined


def _shape(eqn: Any) -> Shape:
    return tuple(eqn.outvars[0].aval.shape)


@builds("reshape", "squeeze")
def _reshape(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    if eqn.params.get("dimensions") is not None and eqn.primitive.name == "reshape":
        return [low.node("reordered", ins, _shape(eqn))]
    return [low.reshape(ins[0], _shape(eqn))]


@builds("broadcast_in_dim")
def _broadcast(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    return [low.broadcast(ins[0], _shape(eqn), tuple(eqn.params["broadcast_dimensions"]))]


@builds("expand_dims")
def _expand(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    return [low.reshape(ins[0], _shape(eqn))]


@builds(
    "stop_gradient",
    "copy",
    "copy_p",
    "name",
    "sharding_constraint",
    "pvary",
    "pcast",
    "mesh_cast",
    "reshard",
    "device_put",
)
def _same(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    return list(ins) if len(ins) == len(eqn.outvars) else [ins[0]]


@builds("transpose")
def _transpose(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    return [low.transpose(ins[0], tuple(eqn.params["permutation"]), _shape(eqn))]


@builds("slice")
def _slice(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    start, limit = tuple(eqn.params["start_indices"]), tuple(eqn.params["limit_indices"])
    stride = tuple(eqn.params["strides"] or (1,) * len(start))
    return [low.slice(ins[0], start, limit, stride, _shape(eqn))]


def _along(node: Node, axis: int, place: int, size: int) -> tuple[Shape, Shape, Shape, Shape]:
    """Start, limit, stride and shape of a slice along one axis."""
    rank = len(node.shape)
    start = tuple(place if i == axis else 0 for i in range(rank))
    limit = tuple(place + size if i == axis else d for i, d in enumerate(node.shape))
    return start, limit, (1,) * rank, tuple(e - s for s, e in zip(start, limit, strict=True))


@builds("split")
def _split(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    axis, place, parts = eqn.params["axis"], 0, []
    for size in eqn.params["sizes"]:
        parts.append(low.slice(ins[0], *_along(ins[0], axis, place, size)))
        place += size
    return parts


@builds("unstack")
def _unstack(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    axis = eqn.params["axis"]
    parts = [low.slice(ins[0], *_along(ins[0], axis, place, 1)) for place in range(len(eqn.outvars))]
    return [low.reshape(part, tuple(out.aval.shape)) for part, out in zip(parts, eqn.outvars, strict=True)]


@builds("concatenate")
def _concatenate(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    return [low.concatenate(ins, eqn.params["dimension"], _shape(eqn))]


@builds("stack")
def _stack(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    axis, shape = eqn.params["axis"], _shape(eqn)
    one = tuple(1 if i == axis else d for i, d in enumerate(shape))
    return [low.concatenate([low.reshape(part, one) for part in ins], axis, shape)]


@builds("tile")
def _tile(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    reps, old = eqn.params["reps"], ins[0].shape
    apart = low.reshape(ins[0], tuple(d for size in old for d in (1, size)))
    repeated = tuple(d for pair in zip(reps, old, strict=True) for d in pair)
    return [low.reshape(low.broadcast(apart, repeated, tuple(range(len(repeated)))), _shape(eqn))]


@builds("rev")
def _reverse(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    (node,) = ins
    axes = tuple(axis for axis in eqn.params["dimensions"] if node.shape[axis] != 1)
    content = node.content
    if not axes or node.number is not None:
        return [node]
    if content is not None and content is not fold.UNSEEN and fold.elements(node.shape) <= fold.LIMIT:
        return [low.known(np.flip(content, axes), node.shape)]
    return [low.node("rev", ins, node.shape)]


@builds("pad")
def _pad(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    if not any(any(edge) for edge in eqn.params["padding_config"]):
        return [ins[0]]
    if not fold.elements(ins[0].shape):
        return [low.broadcast(ins[1], _shape(eqn), ())]
    return [low.node("pad", ins, _shape(eqn))]


@builds("iota")
def _iota(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    shape, dtype = _shape(eqn), eqn.outvars[0].aval.dtype
    if shape[eqn.params["dimension"]] == 1 and isinstance(dtype, np.dtype):
        return [low.known(dtype.type(0), shape)]  # counting to one: the compiler knows it for the constant 0
    return [low.node("iota", ins, shape)]


@builds("convert_element_type")
def _convert(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    before, after = eqn.invars[0].aval.dtype, eqn.outvars[0].aval.dtype
    if before == after:
        return [ins[0]]
    if ins[0].content is not None and isinstance(after, np.dtype):
        content = fold.folded("convert_element_type", eqn.params, [ins[0].content], ins[0].shape, after)
        if content is not None:
            return [low.known(content, ins[0].shape)]
    return [low.node("convert", ins, ins[0].shape)]


@builds("select_n")
def _select(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    which, *cases = ins
    shape = _shape(eqn)
    if which.number is not None:
        return [cases[min(max(int(which.number), 0), len(cases) - 1)]]
    if len(cases) == 2 and cases[0] is cases[1]:
        return [cases[0]]
    contents = [node.content for node in ins]
    dtype = eqn.outvars[0].aval.dtype
    if all(content is not None for content in contents) and isinstance(dtype, np.dtype):
        whole = which.content if which.shape == shape else None  # a broadcast of several numbers is none of them
        content = None if whole is None else fold.folded("select_n", eqn.params, contents, shape, dtype)
        if content is not None:
            return [low.known(content, shape)]
    if which.op == "not":
        which = which.args[0]
    elif which.op == "broadcast" and which.args[0].op == "not":
        which = which.args[0].args[0]
    return [low.node("select_n", (which, *cases), shape)]


@builds("real", "imag")
def _part(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    (node,) = ins
    which = 0 if eqn.primitive.name == "real" else 1
    if node.op == "complex":
        return [node.args[which]]
    if is_joined(node):
        return [Node(PART, (node,), node.shape, None, which)]
    return [low.node(eqn.primitive.name, ins, node.shape)]


@builds("complex")
def _complex(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    real, imaginary = ins
    apart = (real.op, imaginary.op) == ("real", "imag") or (
        real.op == imaginary.op == PART and (real.params, imaginary.params) == (0, 1)
    )
    if apart and real.args[0] is imaginary.args[0]:
        return [real.args[0]]
    return [low.node("complex", ins, _shape(eqn))]


@builds("dynamic_slice")
def _dynamic_slice(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    node, *places = ins
    sizes = tuple(eqn.params["slice_sizes"])
    if node.number is not None:
        return [low.known(node.content, sizes)]
    if all(place.number is not None for place in places[: len(sizes)]):
        return [_part_at(low, node, [int(place.number) for place in places[: len(sizes)]], sizes)]
    return [low.node("dynamic_slice", ins, sizes)]


def _part_at(low: Lowering, node: Node, places: list[int], sizes: Shape) -> Node:
    """A part that starts at known places, moved inside where it would not fit."""
    start = tuple(min(max(p, 0), d - s) for p, d, s in zip(places, node.shape, sizes, strict=True))
    limit = tuple(p + s for p, s in zip(start, sizes, strict=True))
    return low.slice(node, start, limit, (1,) * len(sizes), sizes)


@builds("dynamic_update_slice")
def _dynamic_update(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    node, update, *places = ins
    if not fold.elements(update.shape):
        return [node]
    if update.shape == node.shape and all(is_number(p.content) and not p.content for p in places):
        return [update]
    return [low.node("dynamic_update_slice", ins, node.shape)]


@builds("gather")
def _gather(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    node, index = ins[:2]
    numbers, sizes, content = eqn.params["dimension_numbers"], tuple(eqn.params["slice_sizes"]), index.content
    shape = _shape(eqn)
    if content is None or content is fold.UNSEEN or len(index.shape) != 1:
        return [low.node("gather", ins, shape)]
    places = [0] * len(sizes)
    for axis, place in zip(numbers.start_index_map, np.broadcast_to(content, index.shape), strict=True):
        places[axis] = int(place)
    fits = all(0 <= p <= d - s for p, d, s in zip(places, node.shape, sizes, strict=True))
    if not fits and getattr(eqn.params["mode"], "name", "") == "FILL_OR_DROP":
        return [low.node("gather", (), shape)]  # filled: what it would read is not needed
    return [low.reshape(_part_at(low, node, places, sizes), shape)]


@builds("sort")
def _sort(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    """What is only carried along, and not needed, is not sorted."""
    keys = ins[: eqn.params["num_keys"]]
    whole = low.node("sort", keys, ())
    return [Node("result", (whole, node), node.shape) for node in ins]


@builds("reduce_and", "reduce_or", "reduce_sum", "reduce_prod", "reduce_max", "reduce_min")
def _reduce(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    """Of no elements, what a reduction starts from; of booleans that are all the same, that one."""
    name, dtype, shape = eqn.primitive.name, eqn.outvars[0].aval.dtype, _shape(eqn)
    if not fold.elements(ins[0].shape) and isinstance(dtype, np.dtype):
        return [low.known(_neutral(name, dtype), shape)]
    if name in ("reduce_and", "reduce_or") and dtype.kind == "b" and ins[0].number is not None:
        return [low.known(ins[0].content, shape)]
    return [low.node(name, ins, shape)]


def _neutral(name: str, dtype: Any) -> Any:
    """What a reduction starts from."""
    if name in ("reduce_max", "reduce_min"):
        low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (-np.inf, np.inf)
        return np.asarray(low if name == "reduce_max" else high).astype(dtype)[()]
    return np.asarray(name in ("reduce_prod", "reduce_and")).astype(dtype)[()]


@builds("optimization_barrier")
def _barrier(low: Lowering, eqn: Any, ins: list[Node]) -> list[Node]:
    whole = low.node("optimization_barrier", ins, ())
    return [Node("result", (whole,), node.shape) for node in ins]
