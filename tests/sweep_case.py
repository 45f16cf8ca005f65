"""Small spaces as files, for tests of the verb sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from effort import needs

ARROW = needs("pyarrow", "what a sweep answers on the command line")
SPACE = """
where = ["f <= 60"]
maximize = "f"
top = 2
[formulas]
f = "a*b"
[axes]
a = {to = 9}
b = [3, 7, 11]
"""
FRONT = SPACE.replace('maximize = "f"', 'minimize = "f"\nmaximize = "a"')
"""Two objectives."""
NETWORK = """
where = "params <= 9_999"
maximize = "macs"
[network]
table = "gpt2"
set = {n = 1, N = 4, d = "d", H = 1, L = "L", V = 2}
[axes]
d = {to = 4}
L = [1, 2]
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path / "space.toml"
