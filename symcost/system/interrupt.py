"""Ctrl-C at any moment: while the program is still being imported, in a callback, while a process is being started.

Python raises ``KeyboardInterrupt`` wherever the main thread is. Three places would lose it or leave something behind, and
are cared for here: everything else is the ``except`` of the command line.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

PROGRAM = "symcost"
INTERRUPTED = 130
UNREAD = 141
"""Exit code where the reader of the output is gone, as ``head`` is: what shells tell of a program that SIGPIPE has ended."""
SOON = 0.001
"""Seconds until what was lost is sent again."""


def is_program() -> bool:
    """Whether this process is the command line, rather than a program that imports the library."""
    asked = sys.orig_argv[1:3]
    return asked == ["-m", PROGRAM] or Path(sys.argv[0] if sys.argv else "").stem == PROGRAM


def watch() -> None:
    """End in one line and with the exit code of an interruption, however early it comes; raise again what was lost.

    An interruption inside a finalizer or a callback is printed by Python and forgotten: it is sent once more, when the hook
    that is told of it has returned, for what comes inside a hook is forgotten too.
    """

    def ended(kind: type[BaseException], value: BaseException, trace: Any) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, value, trace)
            return
        print(f"{PROGRAM}: interrupted", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    def lost(problem: Any) -> None:
        if issubclass(problem.exc_type, KeyboardInterrupt):
            threading.Thread(target=again, daemon=True).start()
        else:
            sys.__unraisablehook__(problem)

    def again() -> None:
        while _is_in(lost):
            time.sleep(SOON)
        signal.raise_signal(signal.SIGINT)

    sys.excepthook, sys.unraisablehook = ended, lost


def _is_in(function: Any) -> bool:
    """Whether the main thread is inside a function."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def end(code: int) -> NoReturn:
    """End with an exit code; nothing interrupts the end.

    Where an interruption passed through code that Python made of a text (every dataclass that is being imported is), it
    would kill itself with the signal at the very end whoever caught the exception: it forgets that at the next such code.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    namedtuple("_Forgotten", "code")
    sys.exit(code)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Interruptions wait until the end of the block, and processes that it starts do not heed them.

    Half a process is neither known to its parent nor able to end by itself; a whole one is ended by its parent.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    came: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *given: came.append(given))
    blocked = _mask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "SIG_BLOCK") else None
    try:
        yield
    finally:
        if blocked is not None:
            _mask(signal.SIG_SETMASK, blocked)  # what waited comes now
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])


def _mask(how: Any, signals: Any) -> Any:
    return signal.pthread_sigmask(how, signals)
