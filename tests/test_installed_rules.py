"""Rules that installed packages bring: they hold, and a broken package is one line that names it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from symcost.rules import installed as packages

ROOT = Path(__file__).parents[1]


def installed(
    tmp_path: Path, code: str, entry: str = "kernels = my_kernels:RULES", package: str = "my-kernels"
) -> Path:
    """A package with an entry point, as an installer leaves it."""
    module = package.replace("-", "_")
    (tmp_path / f"{module}.py").write_text(code)
    info = tmp_path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[symcost.rules]\n{entry}\n")
    return tmp_path


ASK = """
import jax, symcost as sc
@jax.jit
def my_kernel(x): return x * 2
try:
    costs = sc.trace_function(my_kernel, "float32[n]")
    print(costs.macs, costs.coverage)
except sc.SymcostError as problem:
    print(type(problem).__name__, problem)
"""


def asked_alone(folder: Path) -> str:
    """What a process of its own says where the package is installed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """The same asked here, where no package was looked for before; afterwards it is gone."""

    def ask(folder: Path) -> str:
        monkeypatch.syspath_prepend(str(folder))
        packages.installed.cache_clear()
        with redirect_stdout(io.StringIO()) as said:
            exec(ASK, {})  # noqa: S102 - the lines above
        return said.getvalue().strip()

    before = {*sys.modules}
    yield ask
    packages.installed.cache_clear()
    for name in {"my_kernels", "others"} & ({*sys.modules} - before):
        del sys.modules[name]


RULES = "import symcost as sc\ndef cost(op): return sc.Work(macs=7 * op.out.size)\n"
COUNTED = "7*n {'rules': 0, 'probes': 0, 'estimates': 0, 'bounds': 0, 'own': 1}"


@pytest.mark.parametrize(
    "last",
    ["RULES = {'my_kernel': cost}", "def RULES(): return {'my_kernel': cost}", "def RULES(register): register('my_kernel', cost)"],
    ids=["a mapping", "a function that returns one", "a function that registers"],
)  # fmt: skip
def test_an_installed_package_brings_its_rules(tmp_path: Path, last: str, asked: Callable[[Path], str]) -> None:
    assert asked(installed(tmp_path, RULES + last)) == COUNTED


def test_a_process_of_its_own_has_the_rules_of_installed_packages(tmp_path: Path) -> None:
    assert asked_alone(installed(tmp_path, RULES + "RULES = {'my_kernel': cost}")) == COUNTED


@pytest.mark.parametrize(
    ("code", "entry", "message"),
    [
        ("import nowhere", "kernels = my_kernels:RULES", "raises ModuleNotFoundError: No module named 'nowhere'"),
        ("", "kernels = my_kernels:RULES", "raises AttributeError: module 'my_kernels' has no attribute 'RULES'"),
        ("RULES = 7", "kernels = my_kernels:RULES", "gives 7, which is no mapping of rules by name"),
        ("RULES = {'k': 7}", "kernels = my_kernels:RULES", "has 'k': 7, which is no rule by name"),
        ("def RULES(): raise ValueError('no')", "kernels = my_kernels:RULES", "raises ValueError: no"),
    ],
)  # fmt: skip
def test_a_broken_package_is_one_line_that_names_it(
    tmp_path: Path, code: str, entry: str, message: str, asked: Callable[[Path], str]
) -> None:
    assert asked(installed(tmp_path, code, entry)) == (
        f"RuleError the rules of the package my-kernels cannot be used: its entry point {entry} {message}: "
        "mend or uninstall the package"
    )


def test_two_packages_with_a_rule_of_one_name_are_named(tmp_path: Path, asked: Callable[[Path], str]) -> None:
    installed(tmp_path, RULES + "RULES = {'my_kernel': cost}")
    installed(tmp_path, RULES + "RULES = {'my_kernel': cost}", "kernels = others:RULES", "others")
    assert asked(tmp_path) == (
        "RuleError the packages my-kernels and others both bring a rule of 'my_kernel': uninstall one of them"
    )
