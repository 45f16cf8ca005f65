"""A function that worker processes can import: which process am I?"""

from __future__ import annotations

import os
import time


def pid(_: int) -> int:
    """This process, after a moment, so that every worker gets some."""
    time.sleep(0.1)
    return os.getpid()
