"""A run in a folder: every finished part is a Parquet file that is whole or not there; a run goes on where it stopped.

``run.json`` says what the run is. ``parts/`` holds one file for each part: its survivors with their exact costs, and in
the metadata the fingerprint, the steps, and how many configurations were feasible. ``result.parquet`` is the answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from symcost.errors import SpaceError
from symcost.sweeps.answers.answer import columns_at
from symcost.sweeps.answers.partial import Partial
from symcost.sweeps.answers.tabular import arrow_columns
from symcost.sweeps.run.lock import locked
from symcost.sweeps.run.task import SearchJob, values_of
from symcost.system.extras import look, needed
from symcost.system.files import whole, write_whole

META = "symcost"
PARTS_OF_A_RUN = 128
"""At least so many parts has a run in a folder; more where it is begun with many workers."""
RUN, PARTS, RESULT = "run.json", "parts", "result.parquet"


class Store:
    """The folder of a run."""

    def __init__(
        self, folder: str | Path, jobs: list[SearchJob], asked: Mapping[str, str], parts: int = PARTS_OF_A_RUN
    ) -> None:
        self.folder, self.jobs, self.asked = Path(folder), jobs, dict(asked)
        self.parts = max(parts, PARTS_OF_A_RUN)
        """Parts of a search: as many as the run was begun with, whatever goes on with it."""

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Make the folder or go on in it; nobody else may use it meanwhile."""
        look("a run in a folder", "pyarrow", "filelock", error=SpaceError)
        if not self.folder.is_dir() and (self.folder.exists() or self.folder.is_symlink()):
            raise SpaceError(f"out={self.folder} is a file: name a folder")
        with ExitStack() as stack:
            with _writing(self.folder, "make room, or give another folder"):
                (self.folder / PARTS).mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.folder))
                self._check()
                for left in (self.folder / PARTS).glob(".*.tmp"):
                    left.unlink()
            yield self

    def _check(self) -> None:
        """Refuse a folder of another run."""
        asked = {"run": [fingerprint(job) for job in self.jobs], "asked": self.asked, "parts": self.parts}
        path = self.folder / RUN
        if not path.exists():
            for kept in (RESULT, PARTS):
                if (self.folder / kept).is_file() or any((self.folder / kept).glob("*")):
                    raise SpaceError(
                        f"{self.folder} has {kept} and no {RUN}: it is no folder of a run; give another one"
                    )
            write_whole(json.dumps(asked, indent=2, ensure_ascii=False), path)
            return
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            same, self.parts = known["run"] == asked["run"], int(known["parts"])
            changed = [key for key, text in asked["asked"].items() if known["asked"].get(key) != text]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SpaceError(f"{path} cannot be read: it is no folder of a run; give another one") from None
        if not same:
            raise SpaceError(
                f"{self.folder} holds another run: {', '.join(changed) or 'its formulas'} changed; "
                "give another folder, or the question it was begun with"
            )

    def path(self, job: SearchJob, start: int, stop: int) -> Path:
        """The file of a part."""
        return self.folder / PARTS / f"{fingerprint(job)[:12]}-{start:08}-{stop:08}.parquet"

    def load(self, job: SearchJob, start: int, stop: int) -> Partial | None:
        """A finished part, or nothing."""
        path = self.path(job, start, stop)
        if not path.exists():
            return None
        parquet = needed("pyarrow.parquet", "a run in a folder", SpaceError)
        try:
            table = parquet.read_table(path)
            facts = json.loads(table.schema.metadata[META.encode()])
            index = np.array(table.column("number").to_pylist(), dtype=np.int64)
        except Exception:  # a damaged file, in whatever way: the part is searched again
            return None
        if facts["run"] != fingerprint(job):
            raise SpaceError(f"{path} belongs to another run: give another folder")
        part = Partial(job.kind, facts["count"], facts["visited"], index, values_of(job, index))
        part.overflow = facts["overflow"]
        return part

    def save(self, job: SearchJob, start: int, stop: int, part: Partial) -> None:
        """Write a finished part: aside, to the disk, then into place."""
        facts = {
            "run": fingerprint(job), "start": start, "stop": stop, "count": part.count, "visited": part.visited,
            "overflow": part.overflow, **self.asked,
        }  # fmt: skip
        columns = {"number": [int(i) for i in part.index], **columns_at(job.problem, part)}
        self._write(self.path(job, start, stop), columns, {META: json.dumps(facts)})

    def finish(self, columns: Mapping[str, Any], provenance: Mapping[str, str]) -> None:
        """Write the answer."""
        self._write(self.folder / RESULT, columns, dict(provenance))

    def _write(self, path: Path, columns: Any, metadata: dict[str, str]) -> None:
        parquet = needed("pyarrow.parquet", "a run in a folder", SpaceError)
        table = arrow_columns(columns, metadata)
        with _writing(path):
            whole(path, lambda file: parquet.write_table(table, file))


@contextmanager
def _writing(path: Path, then: str = "what is finished stays, the same command goes on") -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise SpaceError(f"{path} cannot be written: {problem.strerror or problem}; {then}") from None


def fingerprint(job: SearchJob) -> str:
    """What a part's content depends on; the engine and the workers are not among it."""
    return hashlib.sha256(f"{job.problem.digest} {job.kind} {job.keep}".encode()).hexdigest()


def described(
    jobs: list[SearchJob],
    axes: Mapping[str, Any],
    define: Mapping[str, Any],
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, str]:
    """A run in words: what a person compares when a folder does not fit. One job for each network of a choice."""
    problem = jobs[0].problem
    formulas = [hashlib.sha256(str(sorted(job.problem.formulas.items())).encode()).hexdigest()[:16] for job in jobs]
    return {
        "axes": "; ".join(f"{n} = {_range(v)}" for n, v in axes.items()),
        "define": "; ".join(f"{name} = {formula}" for name, formula in define.items()),
        "where": "; ".join(text for text, _ in problem.where),
        "objectives": "; ".join(str(formula) for _, formula in problem.objectives),
        "show": ", ".join(problem.shown),
        "formulas": ", ".join(formulas),
        "kind": f"{jobs[0].kind} {jobs[0].keep}",
        **({"options": "; ".join(f"{name} = {value}" for name, value in options.items())} if options else {}),
    }


def _range(values: Any) -> str:
    if isinstance(values, range):
        return f"{values.start} to {values[-1]} by {values.step}"
    return (
        ", ".join(map(str, values))
        if len(values) <= 8
        else f"{values[0]}, {values[1]}, ... {values[-1]} ({len(values)})"
    )
