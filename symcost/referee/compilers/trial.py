"""Whether a target really works here: a product of two small matrices, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.referee.compilers.answer import Failure
from symcost.referee.compilers.compile import CompileJob, Event
from symcost.referee.compilers.program import program_at
from symcost.referee.compilers.source import ProgramSource
from symcost.referee.compilers.targets import Target

PATIENCE = 120.0


def product(left: Any, right: Any) -> Any:
    """The program."""
    return left @ right


def tried(targets: Sequence[Target], on_event: Event) -> dict[str, str | None]:
    """By target, why it does not work, or nothing. Compiled afresh: a kept answer would say nothing of today."""
    source = ProgramSource(product, ("float32[8,16]", "float32[16,8]"), {}, function=True)
    program = program_at(source.model(), {})
    answers = CompileJob(source, program, timeout=PATIENCE, use_cache=False, on_event=on_event).start(targets)
    results = {name: answer.result() for name, answer in answers.items()}
    return {name: answer.reason if isinstance(answer, Failure) else None for name, answer in results.items()}
