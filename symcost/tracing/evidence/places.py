"""Who asks: the frame that compares or converts a size, the operation it executes, and the line to name."""

from __future__ import annotations

import ast
import linecache
import opcode
import sys
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import flax
import jax
import numpy as np

from symcost.tracing.evidence.guard import Place


def _folder(module: Any) -> str:
    return str(Path(module.__file__).parent) + "/"


JAX = (_folder(jax),)
EXPORT = _folder(jax) + "_src/export/"
NUMPY, STANDARD = _folder(np), str(Path(ast.__file__).parent) + "/"
INSTALLED = ("site-packages/", "dist-packages/")
"""Where other packages lie below the standard library's folder, unless an environment has a folder of its own."""
OWN = str(Path(__file__).parents[2]) + "/"
STAND_INS = OWN + "tracing/evidence/stand_ins/"
TRACER = OWN + "tracing/program/"
INITIALISERS = str(Path(jax.nn.initializers.orthogonal.__code__.co_filename))
MAKING = {("nnx.py", "made"), ("linen.py", "abstract"), ("scope.py", "param")}
"""Functions of the tracer, and of flax, in which variables are made by shape only."""
LIBRARY = _folder(flax)
COMPARISONS = frozenset(opcode.opmap[name] for name in ("COMPARE_OP", "CONTAINS_OP"))
KEYED = frozenset(
    opcode.opmap[name]
    for name in ("BINARY_SUBSCR", "STORE_SUBSCR", "DELETE_SUBSCR", "BUILD_MAP", "BUILD_SET", "BUILD_CONST_KEY_MAP",
                 "MAP_ADD", "SET_ADD", "CONTAINS_OP")
    if name in opcode.opmap
)  # fmt: skip
SUBSCRIPTS = frozenset(opcode.opmap[name] for name in ("BINARY_SUBSCR",) if name in opcode.opmap)
FORMATS = opcode.opmap["BINARY_OP"]
CALLS = frozenset(opcode.opmap[name] for name in ("CALL", "CALL_FUNCTION_EX", "PRECALL") if name in opcode.opmap)
TESTS = frozenset(
    code for name, code in opcode.opmap.items() if ("JUMP" in name and "IF" in name) or name == "UNARY_NOT"
)
IDENTITIES = frozenset(("__eq__", "__ne__", "__hash__"))


@lru_cache(maxsize=4096)
def converts(file: str) -> bool:
    """Whether a file is of numpy or the standard library: they convert for whoever called them."""
    if file.startswith((NUMPY, "<frozen")):
        return True
    return file.startswith(STANDARD) and not file.removeprefix(STANDARD).startswith(INSTALLED)


@lru_cache(maxsize=4096)
def helps(file: str) -> bool:
    """Whether a file is below the model: of jax, numpy, the standard library, or ours."""
    return converts(file) or file.startswith((*JAX, OWN, "<string>", "<attrs"))


@lru_cache(maxsize=1024)
def _bytes(code: CodeType) -> bytes:
    return code.co_code


def executes(frame: FrameType) -> int:
    """The operation that a frame executes."""
    return _bytes(frame.f_code)[frame.f_lasti]


def compares(frame: FrameType) -> bool:
    """Whether a frame compares on purpose, and no cache does that looks for a key, be it the tracer's own."""
    if frame.f_code.co_filename.startswith((EXPORT, TRACER)):
        return False
    outer = outside(frame)
    operation = executes(outer)
    if outer is not frame and not by_user(outer):
        return False
    if operation in CALLS and outer is not frame and _calls_compiled(outer):
        return False
    return operation in COMPARISONS or (operation in KEYED | CALLS and by_user(outer))


def outside(frame: FrameType) -> FrameType:
    """The frame that compares or hashes what has a size in it, such as a configuration, by methods of its own."""
    while frame.f_code.co_name in IDENTITIES and frame.f_back is not None:
        frame = frame.f_back
    return frame


def by_user(frame: FrameType) -> bool:
    """Whether a frame is of the model, and of no library below it."""
    file = frame.f_code.co_filename
    return not (helps(file) or file.startswith(LIBRARY))


def by_model(frame: FrameType | None) -> bool:
    """Whether the model itself asks, be it through numpy or the standard library."""
    return asking(frame) is not None


def asking(frame: FrameType | None) -> FrameType | None:
    """The frame of the model that asks, be it through numpy or the standard library; nothing where another one does."""
    while frame is not None and converts(frame.f_code.co_filename):
        frame = frame.f_back
    return frame if frame is not None and by_user(frame) else None


def converting(frame: FrameType | None) -> FrameType | None:
    """The frame that converts a number by ``int`` or ``float``, and not what stands in for those while something is recorded."""
    while frame is not None and frame.f_code.co_filename.startswith(STAND_INS):
        frame = frame.f_back
    return frame


def for_jax(frame: FrameType | None) -> bool:
    """Whether jax itself asks, be it through numpy: there a size stays symbolic."""
    while frame is not None and converts(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(JAX)


def looks_up(frame: FrameType) -> bool:
    """Whether a frame of the model looks something up by a size: in a dictionary, a set, a cache of results.

    The standard library does so for the model that calls it: ``Kind(d)`` of an enumeration, a counter.
    """
    frame = outside(frame)
    if not by_model(frame):
        return False
    operation = executes(frame)
    return operation in KEYED or (operation in CALLS and not _calls_compiled(frame))


COUNTING = ("range", "slice", "islice", "repeat", "arange", "zeros", "ones", "empty", "full", "eye", "tri", "linspace")
"""Functions in C of Python, numpy and jax that take a size for a number of things: no single size is another one to them."""
STEPPED = {"range": 2, "arange": 2, "islice": 3}
"""Those of them that take a step behind so many arguments: with one, a size more may be one thing more."""


def hides(frame: FrameType) -> bool:
    """Whether a frame of the model hands a size to what may do anything by its value: an item of a list, a text, C code."""
    if not by_user(frame):
        return False
    operation, node = executes(frame), call(frame)
    if operation in SUBSCRIPTS:
        return not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice))
    if operation == FORMATS:  # the other operations of two are the size's own
        return True
    if operation in CALLS and isinstance(node, ast.Call):
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        stepped = len(node.args) > STEPPED.get(name, len(node.args)) or any(
            each.arg == "step" for each in node.keywords
        )
        return name not in COUNTING or stepped
    return False


def tests(frame: FrameType) -> bool:
    """Whether a frame only asks whether something is empty, or does so by a length."""
    if frame.f_code.co_name == "__len__" and frame.f_back is not None:
        frame = frame.f_back
    return executes(frame) in TESTS


def initialises(frame: FrameType | None) -> bool:
    """Whether one of jax's initialisers asks while a module is made: it decides by sizes what numbers it draws.

    The array that it returns has the shape that it was asked for, and its program is thrown away. So it is where flax asks
    for the shape of a variable that is there, as it does of a module of linen inside one of nnx.
    """
    initialiser = False
    while frame is not None:
        name = frame.f_code.co_filename
        initialiser = initialiser or name == INITIALISERS
        if initialiser and name.startswith((OWN, LIBRARY)) and (Path(name).name, frame.f_code.co_name) in MAKING:
            return True
        frame = frame.f_back
    return False


def place(frame: FrameType | None) -> Place:
    """The model's line, the innermost one; a library's where there is none."""
    library = None
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(LIBRARY):
            library = library or frame
        elif not helps(name) and "/opt_einsum/" not in name:
            return _place(frame)
        frame = frame.f_back
    return Place() if library is None else _place(library)


def own_line(problem: BaseException | None) -> str:
    """The innermost line of the model's own that an exception came through, as ``file:line: text``; empty where there is none."""
    found, trace = "", None if problem is None else problem.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if by_user(trace.tb_frame) and "/opt_einsum/" not in name:
            found = str(Place(name, trace.tb_lineno, linecache.getline(name, trace.tb_lineno).strip()))
        trace = trace.tb_next
    return found


def refusing(problem: BaseException) -> Place | None:
    """The model's line, where it handed a size to code that takes plain numbers alone: what that does with one is not seen."""
    problem = problem.__cause__ or problem  # the model's own, of what the tracer says
    trace, last = problem.__traceback__, None
    while trace is not None:
        trace, last = trace.tb_next, trace.tb_frame
    refused = isinstance(problem, TypeError) and last is not None
    return place(last) if refused and by_model(last) else None


def _place(frame: FrameType) -> Place:
    name, line = frame.f_code.co_filename, frame.f_lineno
    return Place(name, line, linecache.getline(name, line).strip())


def _calls_compiled(frame: FrameType) -> bool:
    """Whether the call that a frame executes is of a function of ``jax.jit``: its cache knows symbolic sizes."""
    node = call(frame)
    found = _known(node.func, frame) if isinstance(node, ast.Call) else None
    return type(found).__name__ == "PjitFunction"


def asks_for_constant(frame: FrameType) -> bool:
    """Whether jax may only ask if a size is a constant; it does not where it counts, ``range(size)``."""
    while converts(frame.f_code.co_filename) and frame.f_back is not None:
        frame = frame.f_back
    node = call(frame)
    return not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range")


def call(frame: FrameType) -> ast.expr | None:
    """The expression that a frame is at, where its source is known."""
    return _source(frame.f_code, frame.f_lasti)


@lru_cache(maxsize=4096)
def _source(code: CodeType, instruction: int) -> ast.expr | None:
    first, last, start, end = list(code.co_positions())[instruction // 2]
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(first or 0, (last or 0) + 1)]
    if not lines:
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        return ast.parse(b"".join(lines).decode().strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _known(node: ast.expr, frame: FrameType) -> Any:
    """What a dotted name means in a frame, read from modules and namespaces only."""
    if isinstance(node, ast.Name):
        spaces = (frame.f_locals, frame.f_globals, vars(sys.modules["builtins"]))
        return next((space[node.id] for space in spaces if node.id in space), None)
    if isinstance(node, ast.Attribute):
        owner = _known(node.value, frame)
        return vars(owner).get(node.attr) if type(owner) is type(sys) else None
    return None
