"""Workers: started, fed, waited for, ended. What goes wrong in one becomes a line with the cure; the others go on."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symcost.referee.compilers import cache
from symcost.referee.compilers.answer import Failure, TargetAnswer
from symcost.referee.compilers.targets import CPU, CUDA, TPU, Target

WORKER = Path(__file__).with_name("worker.py")
GRACE = 2.0
PULSE = 0.2
CURES: tuple[tuple[str, str], ...] = (
    (r"No PTX compilation provider|ptxas", "pip install nvidia-cuda-nvcc-cu12, whose ptxas fits this jaxlib"),
    (r"No module named 'flatbuffers'", "pip install flatbuffers, which jax.export needs"),
    (
        r"RESOURCE_EXHAUSTED|[Oo]ut of memory|MemoryError|bad_alloc",
        "choose smaller sizes, or a target with more memory",
    ),
    (
        r"Unknown backend: '(gpu|cuda)'",
        "the program calls the host, which this compiler serves beside its device only: leave jax.debug out of it",
    ),
    (r"Invalid TPU external name", "install a libtpu that knows this generation: pip install -U libtpu"),
)
"""What to do, by a sign in the compiler's complaint; the first that fits."""
OTHERWISE = {
    CPU: "try other sizes, or another jaxlib",
    TPU: "try other sizes, or another libtpu: pip install -U 'symcost[tpu]'",
    CUDA: "try other sizes, or another plug-in: pip install -U 'symcost[cuda]'",
}


class Worker:
    """One process that compiles one program for one target."""

    def __init__(self, target: Target, devices: int = 1, stopped: threading.Event | None = None) -> None:
        self.target = target
        self.stopped = stopped or threading.Event()
        self.directory = Path(tempfile.mkdtemp(prefix="symcost-"))
        self.log = (self.directory / "log.txt").open("wb+")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", str(WORKER)],
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT,
            env=target.environment(devices), start_new_session=True,
        )  # fmt: skip

    def ask(self, program: bytes | None, reference: Mapping[str, Any] | None, options: Mapping[str, Any],
            timeout: float) -> TargetAnswer | Failure:  # fmt: skip
        """Compile, and wait for the answer. ``program`` is serialised; without it the model is imported by name."""
        file = self.directory / "program.bin"
        if program is not None:
            file.write_bytes(program)
        answers = self.directory / "answer"
        answers.mkdir()
        request = {
            "directory": str(answers), "platform": self.target.platform, "config": self.target.config,
            "program": str(file) if program is not None else None, "reference": reference,
            "path": [entry or os.getcwd() for entry in sys.path], **options,
        }  # fmt: skip
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already: its log says why
        start = time.monotonic()
        while self.process.poll() is None:
            if self.stopped.is_set():
                self.end()
                return Failure(f"{self.target.name} was stopped before it answered")
            if time.monotonic() - start > timeout:
                self.end()
                return Failure(
                    f"{self.target.name} did not answer within {timeout:g} s: "
                    "allow more time with timeout=..., or choose smaller sizes"
                )
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PULSE)
        answer = cache.read(answers)
        return answer if answer is not None and self.process.returncode == 0 else self._failure(answers)

    def _failure(self, answers: Path) -> Failure:
        name, code = self.target.name, self.process.returncode
        told = answers / "problem.txt"
        self.log.seek(0)
        log = self.log.read().decode(errors="replace")
        if told.exists():
            reason = told.read_text()
        elif code < 0 and code in (-signal.SIGKILL, -signal.SIGTERM):
            return Failure(
                f"the worker of {name} was killed by {signal.Signals(-code).name}: if memory ran out, "
                "choose smaller sizes; else try again"
            )
        else:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            reason = f"the compiler {how}: {_complaint(log)}"
        cure = next((cure for sign, cure in CURES if re.search(sign, reason)), None)
        return Failure(f"{name}: {_short(reason)} - {cure or OTHERWISE[self.target.platform]}")

    def end(self) -> None:
        """End the process and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _complaint(log: str) -> str:
    """The line of a log that says what broke: the first fatal one, else the last; what is always said says nothing."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if not re.search(r"stack trace \*\*\*|cudart_stub|absl::InitializeLog", line)]
    fatal = [line for line in telling if re.match(r"F\d{4} |.*(Check failed|Fatal|[Ee]rror:)", line)]
    if fatal or telling:
        return (fatal or telling)[0 if fatal else -1]
    return "it broke inside, without a message"


def _short(reason: str, limit: int = 240) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
