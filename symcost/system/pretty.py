"""Errors in scripts and notebooks as the command line has them: one line, without the way that led there."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from symcost.errors import SymcostError

__all__ = ["pretty_errors"]


def pretty_errors() -> None:
    r"""From now on an error of symcost's that nobody catches is one line on the standard error, and no traceback.

    For scripts and notebooks: the line says what is wrong and what to do, and the calls inside symcost say nothing
    more. Errors of everything else are shown as before, and so is the process's exit code, which is 1. Calling it again
    changes nothing.

    >>> import subprocess, sys
    >>> script = "import symcost as sc; sc.pretty_errors(); sc.device('tpu-v99')"
    >>> shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    >>> shown.returncode, shown.stderr.count("\n"), shown.stderr[:38]
    (1, 1, "DeviceError: unknown device 'tpu-v99':")
    """
    if not isinstance(sys.excepthook, _Hook):
        sys.excepthook = _Hook(sys.excepthook)
    shell = _notebook()
    if shell is not None:
        shell.set_custom_exc((SymcostError,), _in_notebook)


class _Hook:
    """What Python calls with an exception that nobody caught; all but ours goes to the hook before it."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
        if isinstance(value, SymcostError):
            print(f"{kind.__name__}: {value}", file=sys.stderr)
        else:
            self.before(kind, value, trace)


def _notebook() -> Any:
    """The shell of IPython that runs this, or nothing: it is asked only where somebody imported it."""
    made = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return made() if made is not None else None


def _in_notebook(
    shell: Any, kind: type[BaseException], value: BaseException, trace: Any, tb_offset: Any = None
) -> None:
    print(f"{kind.__name__}: {value}", file=sys.stderr)
