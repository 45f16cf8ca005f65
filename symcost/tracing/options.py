"""What the user may say of a trace beside the model: how it is sampled, how far, and whether XLA is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symcost.errors import SymcostError
from symcost.reading.numerals import short
from symcost.tracing.sampling.sample import Values, check_known, check_positive

PIECES = 4
"""Of how many pieces a form may be, unless more are allowed."""


@dataclass
class Options:
    """What the user may say about sampling, and whether XLA is asked in the end."""

    samples: Mapping[str, Sequence[int]] | None = None
    steps: Mapping[str, int] | None = None
    at_least: Mapping[str, int] | None = None
    referee: bool = True
    max_pieces: int = PIECES
    upto: Mapping[str, int] | None = None
    first: Mapping[str, Values] = field(default_factory=dict)
    """Values that worked on another side of a decision, which are tried before all others."""

    def check(self, symbols: Sequence[str]) -> None:
        """Raise for what is no number of pieces, and no value to reach of a symbol that there is."""
        if isinstance(self.max_pieces, bool) or not isinstance(self.max_pieces, int) or self.max_pieces < 1:
            raise SymcostError(f"max_pieces={short(self.max_pieces)} must be a positive integer: choose another value")
        check_positive("upto", self.upto)
        check_known("upto", self.upto, symbols)

    def beside(self, symbols: Sequence[str], samples: Mapping[str, Values], first: Mapping[str, Values]) -> Options:
        """The same with other samples for some symbols, and without those of symbols that there are none of."""
        given = {**(self.samples or {}), **samples}

        def kept(values: Mapping[str, Any] | None) -> dict[str, Any]:
            return {name: value for name, value in (values or {}).items() if name in symbols}

        return Options(kept(given), kept(self.steps), kept(self.at_least), self.referee, self.max_pieces,
                       kept(self.upto), kept(first))  # fmt: skip
