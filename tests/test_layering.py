"""Imports point downwards, jax stays out of the symbolic half, and no text is ever run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symcost"
FILES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    "symbols": 0, "extent": 0, "given": 0, "interrupt": 0, "numerals": 0, "toml": 0,
    "errors": 0, "dtypes": 0, "files": 0, "nearest": 0, "form": 0, "formed": 0, "glob": 0, "cost": 0, "window": 0,
    "prefixes": 0,
    "dominance": 0, "equality": 0,
    "table": 1, "devices": 1,
    "prove": 2, "conventions": 0, "size": 2, "layers": 3, "rules": 2, "hlo": 1, "referee": 2,
    "models": 4, "twins": 4, "trace": 3, "xla": 4,
    "saved": 4, "audit": 5, "calibrate": 5, "verify": 5, "sweep": 4, "estimate": 4,
    "report": 5, "budget": 5, "diff": 5, "pytest_plugin": 6, "testing": 6,
    "cli": 6, "cli_best": 6, "cli_layers": 6, "cli_sweep": 6, "cli_input": 6, "cli_output": 6, "cli_calibrate": 6,
    "cli_check": 6, "cli_diff": 6, "cli_report": 6, "cli_estimate": 6, "cli_target": 6, "cli_trace": 6, "cli_verify": 6,
}  # fmt: skip
INDEX = {"__init__", "__main__"}
"""Above every floor: the index of public names, and the program."""
SHOWING = {"__str__", "_repr_html_", "_repr_latex_", "explain", "plot", "compile", "save"}
"""Functions that may look upwards: how a result shows or evaluates itself is known to the rooms above it."""


def room(file: Path) -> str:
    """The part of the package that a file belongs to."""
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(tree: ast.AST, function: str = "") -> Iterator[tuple[str, str]]:
    """(module, function) of every import, with the name of the function around it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base, function
            yield from ((f"{base}.{alias.name}", function) for alias in node.names)
        else:
            inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield from imports(node, inner)


def rooms_imported(file: Path) -> list[tuple[str, str]]:
    """(room, function) of a file's imports from the package."""
    found = [(name.split("."), function) for name, function in imports(ast.parse(file.read_text()))]
    return [(parts[1], function) for parts, function in found if parts[0] == "symcost" and len(parts) > 1]


def test_every_room_has_a_floor() -> None:
    assert {room(file) for file in FILES} <= {*FLOORS, *INDEX}


@pytest.mark.parametrize("file", [f for f in FILES if room(f) not in INDEX], ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_downwards(file: Path) -> None:
    own = room(file)
    for imported, function in rooms_imported(file):
        if imported in FLOORS and imported != own and function not in SHOWING:
            beside = FLOORS[own] in (0, 6) and FLOORS[imported] == FLOORS[own]
            assert FLOORS[imported] < FLOORS[own] or beside, f"{file.name} imports {imported}, which is not below {own}"


LIGHT = ["", ".symbols", ".cost", ".window", ".table", ".form", ".errors", ".rules", ".hlo", ".report", ".report.text",
         ".report.markdown", ".report.notebook", ".report.csv", ".report.json", ".report.latex", ".cli", ".layers", ".layers.face",
         ".layers.combine", ".models.catalog", ".dominance", ".equality", ".audit.judge", ".conventions", ".size",
         ".verify", ".verify.verdict", ".xla.targets", ".xla.cache", ".xla.pool", ".report.verdict", ".report.targets",
         ".referee.judge", ".referee.written", ".saved.face", ".prove.search",
         ".budget.check", ".cli_check", ".cli_diff", ".cli_report",
         ".report.page.render", ".testing", ".diff.compare", ".report.gate",
         ".devices", ".estimate.face", ".estimate.solve", ".cli_estimate",
         ".sweep.face", ".sweep.columns", ".cli_sweep"]  # fmt: skip


@pytest.mark.parametrize("module", LIGHT)
def test_the_symbolic_half_does_not_import_jax(module: str) -> None:
    code = f"import sys, symcost{module}; sys.exit('jax' in sys.modules or 'flax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_symcost_imports_sympy_and_little_else() -> None:
    code = "import sys; {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = [
        set(
            subprocess.run(
                [sys.executable, "-c", code.format(line)], capture_output=True, text=True, check=True
            ).stdout.split()
        )
        for line in ("import sympy", "import symcost")
    ]
    assert loaded[1] - loaded[0] - set(sys.stdlib_module_names) <= {"symcost"}


def test_printing_the_help_does_not_import_jax() -> None:
    code = "import sys; from symcost.cli import main; main(['trace', '--help']); sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


ALLOWED = {("re", "compile"), ("lowered", "compile")}  # a pattern, and XLA's compiler of a program already lowered
FORBIDDEN = {"eval", "exec", "compile", "parse_expr", "lambdify", "__import__"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_no_text_is_run(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.id
            if isinstance(node.func, ast.Name)
            else node.func.attr
            if isinstance(node.func, ast.Attribute)
            else ""
        )
        module = (
            node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""
        )
        assert name not in FORBIDDEN or (module, name) in ALLOWED, f"{file.name}:{node.lineno} calls {name}"
        if name == "sympify":
            strict = [k.value for k in node.keywords if k.arg == "strict"]
            assert strict, f"{file.name}:{node.lineno} calls sympify without strict=True: it would read text"
            assert all(isinstance(value, ast.Constant) and value.value is True for value in strict)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_files_stay_readable(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert len(lines) <= 400
    assert not lines or lines[0].startswith('"""'), "a file begins with what it is for"
