"""How jax is started: whatever devices and plug-ins there are, without a word."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from symcost.system.interrupt import held

PLUGINS = ("jax_plugins", "libtpu")


def start_jax() -> None:
    """Ask for no device but the CPU, as the command line does.

    Interruptions wait until jax is there: one inside the import of its machine code is the end of the process.
    """
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    with held():
        start_devices()


def start_devices() -> None:
    """Import jax; where there are plug-ins, start its devices now: they complain of missing ones on standard error."""
    if not any(map(find_spec, PLUGINS)):
        import jax

        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            import jax

            jax.devices()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
