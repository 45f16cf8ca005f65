"""Whether a size is in a range of numbers: two bounds and a remainder, where Python compares one number after the other."""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

from symcost.tracing.evidence.places import call
from symcost.tracing.evidence.recorder import Recorder


def asked_range(frame: FrameType) -> range | None:
    """The range in which the frame of a model looks for a size, ``d in range(60, 300)``, where its source says it in numbers."""
    node = call(frame)
    match node:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            value = _value(container, frame)
            return value if isinstance(value, range) and len(value) > 0 and value.step > 0 else None
    return None


def _value(node: ast.expr, frame: FrameType) -> Any:
    """A number, a range of numbers, or what a name of the frame means of the two; nothing of anything else."""
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            found = frame.f_locals.get(name, frame.f_globals.get(name))
            return found if type(found) in (int, range) else None
        case ast.Call(func=ast.Name(id="range"), args=[_, *_] as args, keywords=[]) if "range" not in frame.f_globals:
            numbers = [_value(arg, frame) for arg in args]
            return range(*numbers) if all(type(number) is int for number in numbers) and 0 not in numbers[2:] else None
    return None


def is_member(recorder: Recorder, size: Any, numbers: range, frame: FrameType) -> bool:
    """Whether a size is among the numbers at the base point, written down."""
    first, last = numbers[0], numbers[-1]
    if not recorder.decide(size, ">=", first, frame) or not recorder.decide(size, "<=", last, frame):
        return False
    return numbers.step == 1 or recorder.decide((size - first) % numbers.step, "==", 0, frame)
