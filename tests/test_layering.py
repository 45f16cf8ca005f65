"""Imports point downwards, jax stays out of the symbolic half, and no text is ever run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from effort import absent

from symcost.views import VIEWS, view

PACKAGE = Path(__file__).parents[1] / "symcost"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = (
    "version", "errors", "views", "system", "reading", "formulas", "costs", "devices", "rules", "layers", "models", "hlo",
    "agreement", "tracing", "referee", "estimate", "sources", "sweeps",
    "report", "gates", "cli",
)  # fmt: skip
"""Every room, each above all that it imports."""
INDEX = {"__init__", "__main__"}
"""Above every room: the index of public names, and the program."""
WITH_JAX = ("symcost.tracing.", "symcost.referee.", "symcost.layers.twins.")
"""Where jax may be imported: real programs, their compilers, and layers built as Flax modules."""
LIGHT = {"symcost.referee.compilers.cache", "symcost.referee.compilers.pool", "symcost.referee.compilers.targets",
         "symcost.referee.verdicts.verdict"}  # fmt: skip
"""What of it other verbs read without jax."""
MAX_LINES = 400
MAX_FILES = 16


def room(file: Path) -> str:
    """The part of the package that a file belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module(file: Path) -> str:
    """A file's name as imports write it."""
    return ".".join(("symcost", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {module(file) for file in FILES}


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Every part of a file's text, read once."""
    return tuple(ast.walk(ast.parse(file.read_text())))


def imports(file: Path) -> Iterator[str]:
    """Modules that a file imports, at its top or when they are needed."""
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_of(file: Path) -> Iterator[str]:
    """The package's own modules that a file imports, at its top, when they are needed or for type hints."""
    package = module(file) if file.name == "__init__.py" else module(file).rpartition(".")[0]
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            place = ".".join([*above, *([node.module] if node.module else [])])
            inside = (f"{place}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else place for name in inside)


def circles(graph: Mapping[str, Collection[str]]) -> list[set[str]]:
    """Modules that import each other, directly or by way of others, as Tarjan found them."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        path.append(node)
        for after in graph[node]:
            if after not in number:
                visit(after)
            if after in path:
                low[node] = min(low[node], low[after])
        if low[node] == number[node]:
            whole = path[path.index(node) :]
            del path[path.index(node) :]
            if len(whole) > 1 or node in graph[node]:
                found.append(set(whole))

    for node in graph:
        if node not in number:
            visit(node)
    return found


def test_circles_are_found() -> None:
    graph = {"a": "b", "b": "cd", "c": "a", "d": "e", "e": "d", "f": "af", "g": "ac"}
    assert sorted(map(sorted, circles(graph))) == [["a", "b", "c"], ["d", "e"], ["f"]]


def test_no_modules_import_each_other() -> None:
    graph = {module(file): set(modules_of(file)) & MODULES for file in FILES}
    assert not circles(graph)


def test_every_room_has_its_place() -> None:
    assert {room(file) for file in FILES} == {*ROOMS, *INDEX}


@pytest.mark.parametrize("own", ROOMS)
def test_imports_point_to_the_rooms_before(own: str) -> None:
    known = {*ROOMS[: ROOMS.index(own) + 1]}
    wrong = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in FILES
        if room(file) == own
        for name in imports(file)
        if name.startswith("symcost.") and name.split(".")[1] not in known
    ]
    assert not wrong


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_is_there(name: str) -> None:
    assert callable(view(name))


def test_the_symbolic_half_does_not_import_jax() -> None:
    names = [module(file) for file in FILES if file.name != "__main__.py"]
    light = [name for name in names if name in LIGHT or not name.startswith(WITH_JAX)]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as problem: print(problem.name)\n"
        "    if {'jax', 'flax'} & set(sys.modules): sys.exit(f'{name} imports jax')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *light], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    reasons = {name: absent(name) for name in done.stdout.split()}
    assert None not in reasons.values(), reasons
    if reasons:
        pytest.skip(f"the other modules hold; {'; '.join(sorted(set(map(str, reasons.values()))))}")


def loaded(line: str) -> set[str]:
    """The packages beside Python's own that a line imports."""
    code = f"{line}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split()) - set(sys.stdlib_module_names)


def test_importing_symcost_imports_no_package_but_the_one_that_reads_its_index() -> None:
    assert loaded("import symcost") - loaded("pass") <= {"symcost", "lazy_loader"}


def test_a_cost_table_imports_sympy_and_little_else() -> None:
    assert loaded("from symcost import CostTable") - loaded("import sympy") <= {"symcost", "lazy_loader"}


def test_printing_the_help_does_not_import_jax() -> None:
    code = "import sys; from symcost.cli.main import main; main(['trace', '--help']); sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


ALLOWED = {("re", "compile"), ("lowered", "compile")}  # a pattern, and XLA's compiler of a program already lowered
FORBIDDEN = {"eval", "exec", "compile", "parse_expr", "lambdify", "__import__"}


def called(node: ast.Call) -> tuple[str, str]:
    """(module, name) of what a call names."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.value.id if isinstance(function.value, ast.Name) else "", function.attr
    return "", function.id if isinstance(function, ast.Name) else ""


def test_no_text_is_run() -> None:
    wrong = []
    for file in FILES:
        for node in nodes(file):
            if not isinstance(node, ast.Call):
                continue
            place = f"{file.relative_to(PACKAGE)}:{node.lineno}"
            _, name = made = called(node)
            if name in FORBIDDEN and made not in ALLOWED:
                wrong.append(f"{place} calls {name}")
            strict = [k.value for k in node.keywords if k.arg == "strict"]
            if name == "sympify" and not (
                strict and all(isinstance(value, ast.Constant) and value.value is True for value in strict)
            ):
                wrong.append(f"{place} calls sympify without strict=True: it would read text")
    assert not wrong


def test_files_stay_readable() -> None:
    lines = {file.relative_to(PACKAGE): file.read_text().splitlines() for file in FILES}
    assert not [file for file, text in lines.items() if len(text) > MAX_LINES]
    unsaid = [file for file, text in lines.items() if text and not text[0].startswith('"""')]
    assert not unsaid, "a file begins with what it is for"


def test_rooms_stay_small() -> None:
    kept = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    number = Counter(file.parent.relative_to(PACKAGE) for file in kept)
    assert not {str(folder): files for folder, files in number.items() if files > MAX_FILES}


def test_a_model_without_nnx_is_traced_without_importing_it(tmp_path: Path) -> None:
    """A factory may import it itself: its model is one of nnx all the same."""
    (tmp_path / "made.py").write_text(
        "def late(d):\n    from flax import nnx\n    return nnx.Linear(4, d, rngs=nnx.Rngs(0))\n"
    )
    code = (
        "import sys, symcost as sc, flax.linen as nn, made\n"
        "costs = sc.trace(lambda d: nn.Dense(d), 'float32[n,4]')\n"
        "assert 'flax.nnx' not in sys.modules\n"
        "assert str(sc.trace(made.late, 'float32[n,4]').macs) == str(costs.macs) == '4*d*n'\n"
        "assert 'flax.nnx' in sys.modules\n"
    )
    line = f"import sys; sys.path[:0] = {[str(Path(__file__).parents[1]), str(tmp_path)]!r}\n"
    subprocess.run([sys.executable, "-c", line + code], check=True, timeout=300)
