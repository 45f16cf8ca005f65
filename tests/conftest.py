"""Of every test: devices are CPUs, printing has one width, and what compilers answer is kept for one run only."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before jax is imported: plug-ins would look for their devices
os.environ.setdefault("JAX_TRACEBACK_FILTERING", "off")  # of every exception that passes: a twentieth of a run
os.environ["COLUMNS"] = "100"  # a test of another width sets its own
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # programs that tests start need not compile all modules again

import effort
import limits
import pytest
from browsing import browser, opened  # noqa: F401 - fixtures of the page's tests
from hypothesis import HealthCheck, settings
from pod_case import tensor  # noqa: F401 - a fixture of the tests of plans
from sweep_case import space  # noqa: F401 - a fixture of the verb sweep's tests

gc.set_threshold(100_000, 50, 100)  # programs live long: to look through them ever again took a sixth of a run
settings.register_profile(  # a run finds what the last one found; how busy the machine is decides nothing
    "daily", derandomize=not effort.EXPLORE, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("daily")


def pytest_configure(config: pytest.Config) -> None:
    """These hooks are of every file: those of a ``conftest`` would leave out the documentation under symcost/."""
    config.pluginmanager.register(effort)
    config.pluginmanager.register(limits)
    if getattr(config.option, "dist", "no") == "load":  # tests of one file by one worker, which keeps what they share
        config.option.dist = "worksteal"


@pytest.fixture(autouse=True, scope="session")
def _answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of this run's own, which parallel workers share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["SYMCOST_CACHE"] = str(shared / "symcost-cache")


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a module, by its name and text, into the folder where the test works and imports from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)

    return write


@pytest.fixture
def traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that several tests trace alike are traced once in a run."""
    from traced_once import traces_once

    traces_once(monkeypatch)
