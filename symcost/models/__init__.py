"""Reference networks: layers, where they were published, and what may be varied, one file each.

>>> from symcost import models
>>> models.alexnet().macs
724406816
>>> models.alexnet(n="n", classes="C").params
4097*C + 56868224
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """The reference network of that name."""
    from symcost.errors import SymcostError
    from symcost.models.catalog import reference

    if name.startswith("_"):
        raise AttributeError(f"module 'symcost.models' has no attribute {name!r}")
    try:
        return reference(name)
    except SymcostError as problem:
        raise AttributeError(str(problem)) from None


def __dir__() -> list[str]:
    from symcost.models.catalog import REFERENCES

    return sorted(REFERENCES)
