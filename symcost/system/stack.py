"""Room on the interpreter's stack: deep recursions run as fast whatever called them.

CPython (3.11 and later) keeps the frames of Python functions in chunks of 16 KB. A call that crosses the end of a chunk
maps memory for the next one, and its return gives the memory back: a loop that sits at such an end pays for it at every
call, and where the ends lie depends on how deep the caller was (a notebook, a test runner). Tracing was seen to take 1.5
times as long for that reason alone. A frame that asks for more than a chunk gets a larger one, and what is called from it
finds its place in the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

T = TypeVar("T")

SLOTS = 1 << 16
"""Stack entries that the frame asks for: half a megabyte, never touched, in a chunk of twice that size."""


def _call(work: Callable[[], Any]) -> Any:
    return work()


_roomy = FunctionType(_call.__code__.replace(co_stacksize=SLOTS), globals(), "_roomy")


def with_room(work: Callable[[], T]) -> T:
    """The result of ``work()``, called where half a megabyte of frames fits without mapping memory.

    >>> with_room(lambda: 1 + 1)
    2
    """
    return _roomy(work)
