"""Why an attempt at a closed form ends, for the one that makes the next: signals between the stages of a derivation."""

from __future__ import annotations

from collections.abc import Sequence

from symcost.errors import LiftError
from symcost.tracing.sampling.sample import Point


class Irregular(LiftError):
    """Numbers over the structural symbols that no polynomial gives: layers may alternate, or follow a pattern."""


class Turn(Irregular):
    """From this depth on layers are other ones than before, though nothing that the program was seen to compare says so."""

    def __init__(self, message: str, name: str, value: int) -> None:
        super().__init__(message)
        self.name, self.value = name, value


class Branch(LiftError):
    """At multiples of some number the program is another one: the form of the other values does not hold there."""

    def __init__(self, message: str, name: str, value: int) -> None:
        super().__init__(message)
        self.name, self.value = name, value


class Counterexample(LiftError):
    """The program is the same one at these points and the form is wrong at one: fit again with them.

    ``between`` says that they lie between the multiples that were sampled: where they cannot be fitted, the multiple
    becomes a condition.
    """

    def __init__(self, message: str, points: Sequence[Point], between: bool = False) -> None:
        super().__init__(message)
        self.points, self.between = points, between


class OnTrial(LiftError):
    """Points between the sampled multiples have no form: the multiples are conditions after all."""


class NoPattern(LiftError):
    """The program changes with a structural symbol in no regular way: other sizes would not help."""
