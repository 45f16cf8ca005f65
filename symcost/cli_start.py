"""How the verbs that trace start jax: on the CPU, whatever devices and plug-ins there are, and without a word."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

PLUGINS = ("jax_plugins", "libtpu")


def start_jax() -> None:
    """Ask for no device, and start now if there are plug-ins: they complain of missing devices on standard error."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if not any(map(find_spec, PLUGINS)):
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
