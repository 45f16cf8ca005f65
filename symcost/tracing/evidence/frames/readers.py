"""How an expression of a program is read in a frame: by its names, stored attributes, items and arithmetic."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping
from typing import Any

from symcost.tracing.evidence.frames.values import (
    KNOWN,
    SIGNS,
    SIZED,
    UNKNOWN,
    Unreadable,
    arithmetic,
    attribute,
    computed,
    item,
    listed,
)

Space = Mapping[str, Any]
Reader = Callable[[Space, Space], Any]
"""Reads one expression in the names of a frame and those of its module, or raises :class:`Unreadable`."""


def reader(node: ast.expr) -> Reader:
    """A function that reads an expression's value in a frame; what it cannot read raises :class:`Unreadable`."""
    match node:
        case ast.Constant(value=value):
            return lambda own, outer: value
        case ast.Name(id=name):
            return _name(name)
        case ast.Attribute(value=owner, attr=name):
            read = reader(owner)
            return lambda own, outer: attribute(read(own, outer), name)
        case ast.Subscript(value=owner, slice=index):
            read, at = reader(owner), reader(index)
            return lambda own, outer: item(read(own, outer), at(own, outer))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            read = reader(operand)
            return lambda own, outer: arithmetic("-", 0, read(own, outer))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
            first, second, sign = reader(left), reader(right), SIGNS[type(op)]
            return lambda own, outer: arithmetic(sign, first(own, outer), second(own, outer))
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return _display([reader(part) for part in parts])
        case ast.Dict(keys=keys, values=values) if all(_is_constant(key) for key in keys):
            names = [ast.literal_eval(key) for key in keys if key is not None]
            read_all = _display(list(map(reader, values)))
            return lambda own, outer: dict(zip(names, read_all(own, outer), strict=True))
        case ast.Call(func=function, args=args, keywords=[]):
            return _call(reader(function), [reader(arg) for arg in args])
    return _unreadable


def _is_constant(key: ast.expr | None) -> bool:
    """Whether a key is written as a plain value, or as a row of such."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(isinstance(part, ast.Constant) for part in parts)


def _unreadable(own: Space, outer: Space) -> Any:
    raise Unreadable("an expression")


def _name(name: str) -> Reader:
    own_names = builtins.__dict__

    def read(own: Space, outer: Space) -> Any:
        for space in (own, outer, own_names):
            if name in space:
                return space[name]
        raise Unreadable(name)

    return read


def _display(parts: list[Reader]) -> Reader:
    """Several values in a row; what cannot be read of them stands there as a mark."""

    def one(part: Reader, own: Space, outer: Space) -> Any:
        try:
            return part(own, outer)
        except Unreadable:
            return UNKNOWN

    return lambda own, outer: tuple(one(part, own, outer) for part in parts)


def _call(function: Reader, args: list[Reader]) -> Reader:
    """A call of a function of Python's own on what it may see."""

    def read(own: Space, outer: Space) -> Any:
        called = function(own, outer)
        name = KNOWN.get(id(called))
        if name is None:
            raise Unreadable("a call")
        values = [arg(own, outer) for arg in args]
        if name == "len" and len(values) == 1 and type(values[0]) in SIZED:
            return len(values[0])
        if name == "len" and len(values) == 1 and (length := listed(values[0])) is not None:
            return length
        return computed(name, values)

    return read
