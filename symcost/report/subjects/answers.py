"""Whether a model fits and what solve found, as text and as JSON; numbers are exact texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symcost.estimate.bytes.fit import Fit
from symcost.estimate.questions.solve import Solution
from symcost.report.words import documents, sheet


def _fit(fit: Fit) -> str:
    return documents.written({
        "device": fit.device.name, "dtype": fit.dtype, "types": str(fit.types), "fits": bool(fit),
        "limits": documents.limits(fit),
    })  # fmt: skip


def _solution(solution: Solution) -> str:
    constraints = [{"text": text, "left": str(left), "right": str(right)} for text, left, right in solution.constraints]
    return documents.written({
        "symbol": solution.symbol, "value": str(solution.value), "at": dict(solution.at), "method": solution.method,
        "constraints": constraints,
    })  # fmt: skip


def _text(answer: Fit | Solution) -> str:
    """As it prints, in lines that the terminal has room for."""
    lines = ((line[: len(line) - len(line.lstrip())], line.lstrip()) for line in str(answer).splitlines())
    return "\n".join(part for margin, said in lines for part in sheet.hung(said, sheet.terminal(), margin))


FITS: Mapping[str, Callable[[Fit], str]] = {"text": _text, "json": _fit}
SOLUTIONS: Mapping[str, Callable[[Solution], str]] = {"text": _text, "json": _solution}
