"""How often a `while` runs, read from its text alone."""

from __future__ import annotations

from symcost.hlo.reading.ir import Computation, Instruction, Module

_MIRROR = {"LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE", "NE": "NE"}
_SAME_VALUE = ("copy", "convert", "reshape", "bitcast")
_WHOLE = -1  # the loop state is one scalar, not a tuple


def trip_count(loop: Instruction, home: Computation, module: Module) -> int | None:
    """Trips of `loop`, an instruction of `home`; None when the text does not settle it.

    Either the compiler wrote `known_trip_count` into the backend configuration, or the loop counts: its
    condition compares an integer slot of the state with a constant (or with a slot that never changes), the
    slot starts at a constant and the body adds a constant to it. For `<`: trips = max(0, ceil((bound - start)
    / step)).
    """
    if loop.known_trip_count is not None:
        return loop.known_trip_count
    names = loop.calls("condition"), loop.calls("body")
    condition, body = (module.computations[name[0]] for name in names)
    compare = condition.root
    direction = compare.attributes.get("direction", "")
    if compare.opcode != "compare" or direction not in _MIRROR:
        return None
    left, right = (condition.by_name[name] for name in compare.operands)
    if _slot(left, condition) is None:
        left, right, direction = right, left, _MIRROR[direction]
    slot = _slot(left, condition)
    if slot is None:
        return None
    bound = _constant(right, condition)
    if bound is None:
        bound = _invariant(_slot(right, condition), loop, home, body)
    start, step = _initial(slot, loop, home), _step(slot, body)
    if bound is None or start is None or step is None:
        return None
    return _count(start, bound, step, direction)


def _count(start: int, bound: int, step: int, direction: str) -> int | None:
    if direction in ("GT", "GE"):  # counting down is counting up in the mirror
        return _count(-start, -bound, -step, _MIRROR[direction])
    if direction == "NE":
        trips, rest = divmod(bound - start, step) if step else (0, bound - start)
        return trips if rest == 0 and trips >= 0 else None
    distance = bound - start + (direction == "LE")
    if distance <= 0:
        return 0
    return -(-distance // step) if step > 0 else None


def _slot(instruction: Instruction, home: Computation) -> int | None:
    """Which part of the loop state an instruction of the condition or the body reads."""
    if instruction.opcode in _SAME_VALUE:
        return _slot(home.by_name[instruction.operands[0]], home)
    if instruction.opcode == "parameter" and not instruction.shape.is_tuple:
        return _WHOLE
    if instruction.opcode == "get-tuple-element" and home.by_name[instruction.operands[0]].opcode == "parameter":
        return instruction.integers("index")[0]
    return None


def _part(state: Instruction, slot: int, home: Computation) -> Instruction | None:
    """The instruction that makes one slot of a state built in `home`."""
    if slot == _WHOLE:
        return state
    return home.by_name[state.operands[slot]] if state.opcode == "tuple" else None


def _constant(instruction: Instruction | None, home: Computation) -> int | None:
    """Value of an integer constant, seen through copies."""
    if instruction is None or instruction.shape.dtype[:1] not in "su":
        return None
    if instruction.opcode in _SAME_VALUE:
        return _constant(home.by_name[instruction.operands[0]], home)
    literal = instruction.literal
    return None if literal is None else int(literal)


def _initial(slot: int, loop: Instruction, home: Computation) -> int | None:
    return _constant(_part(home.by_name[loop.operands[0]], slot, home), home)


def _invariant(slot: int | None, loop: Instruction, home: Computation, body: Computation) -> int | None:
    """Initial value of a slot that the body hands on unchanged."""
    if slot is None:
        return None
    after = _part(body.root, slot, body)
    return _initial(slot, loop, home) if after is not None and _slot(after, body) == slot else None


def _step(slot: int, body: Computation) -> int | None:
    """The constant that the body adds to a slot."""
    after = _part(body.root, slot, body)
    while after is not None and after.opcode in _SAME_VALUE:
        after = body.by_name[after.operands[0]]
    if after is None or after.opcode not in ("add", "subtract"):
        return None
    left, right = (body.by_name[name] for name in after.operands)
    if after.opcode == "add" and _slot(left, body) is None:
        left, right = right, left
    step = _constant(right, body)
    if _slot(left, body) != slot or step is None:
        return None
    return step if after.opcode == "add" else -step
