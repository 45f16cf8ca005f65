"""Rules: what one primitive costs, as a function of shapes and parameters only. One family per file.

To add a primitive, write a line in ``PER_ELEMENT`` or a short function in the family's file, and one row in
``tests/rule_cases.py``.
"""

from __future__ import annotations

from symcost.rules.base import ENTRIES, Array, Entry, Facts, Op, Work, add, rule
from symcost.system.folder import import_all

__all__ = ["ENTRIES", "Array", "Entry", "Facts", "Op", "Work", "add", "rule"]

import_all("symcost.rules.families")
