"""The map for contributors names what is there, and all of it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def test_every_path_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:symcost|tests|examples|\.ci)/[^`<]*?)`", TEXT))
    assert len(named) > 20
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_every_room_is_on_the_map() -> None:
    rooms = {f"`symcost/{folder.name}/`" for folder in (ROOT / "symcost").iterdir() if [*folder.glob("*.py")]}
    assert not [room for room in sorted(rooms) if TEXT.count(f"| {room} |") != 1]


def test_what_gets_an_entry_is_in_a_file_that_its_line_names() -> None:
    _, _, table = TEXT.partition("## Where to add what")
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(lines) > 12
    for line in lines:
        paths = [ROOT / path for path in re.findall(r"`((?:symcost|tests)/[\w/.]*\w)`", line)]
        texts = "".join(path.read_text() for path in paths)
        names = re.findall(r"`([A-Z]\w+)`", line)
        assert not [name for name in names if not re.search(rf"\b{name}\b", texts)], line
