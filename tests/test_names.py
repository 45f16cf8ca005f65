"""A class of the package is called what no other one is called."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "symcost"
ALIKE = {
    "Branch": "a layer, by a public name, and a signal of the sampling of programs",
    "Lowering": "of a program into XLA's operations, and of formulas into a graph",
    "Node": "of a lowered program, and of a graph of formulas",
}
"""Names of two classes that stay apart in rooms that never meet, and what each of them is."""


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(file.relative_to(PACKAGE)))
    assert not {name: files for name, files in places.items() if len(files) > 1 and name not in ALIKE}


def test_a_file_is_called_what_it_is() -> None:
    assert not [file for file in PACKAGE.rglob("face.py") if "tracing" not in file.parts]
