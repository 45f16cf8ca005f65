"""What one depth's landmarks are: numbers past which layers follow the pattern of those before."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from symcost.tracing.evidence.guard import Guard


@dataclass(frozen=True)
class Landmarks:
    """Where the layers of one depth may become other ones, as one run of the program at a small depth tells.

    ``thresholds`` are values that an index or the depth itself is compared with, ``ends`` distances from the last layer
    (``i >= L - 8``), ``moduli`` the numbers that remainders and quotients of an index are taken by, ``shares`` those by which
    the depth itself is divided (``i < L // 2``), ``lengths`` those of tables
    that are looked into by layer. ``unread`` are the decisions that see the index in a way that was not understood.
    """

    thresholds: frozenset[int] = frozenset()
    ends: frozenset[int] = frozenset()
    moduli: frozenset[int] = frozenset()
    shares: frozenset[int] = frozenset()
    lengths: frozenset[int] = frozenset()
    saw_index: bool = False
    unread: tuple[str, ...] = ()
    places: frozenset[str] = field(default=frozenset(), compare=False)
    """The lines that decide."""
    claims: tuple[Guard, ...] = field(default=(), compare=False)
    """That floats decide as the numbers do that they stand for: what shares of a depth in floats stand on."""

    @property
    def complete(self) -> bool:
        """Whether every decision that sees the depth or an index of it was understood."""
        return not self.unread

    @property
    def period(self) -> int:
        """After how many layers all remainders come again."""
        return math.lcm(*self.moduli) * math.lcm(*self.shares)

    @property
    def reach(self) -> int:
        """A depth from which on layers follow the pattern of those before: past every landmark, by one period.

        A share of the depth moves slower than the last layer and faster than the first: it meets the landmarks of either
        after as many times their distance (``2*i < L`` and ``i >= L - 8`` at ``L = 16``).

        >>> Landmarks(thresholds=frozenset({20}), ends=frozenset({2}), moduli=frozenset({8})).reach
        31
        """
        near = max((*self.thresholds, *self.lengths, 0)) + 1 + max((*self.ends, 0))
        return near * math.lcm(*self.shares) + self.period

    @property
    def values(self) -> frozenset[int]:
        """Every depth past which layers may be other ones: the landmarks, and where one from the start meets one from the end.

        >>> sorted(Landmarks(thresholds=frozenset({20}), ends=frozenset({30})).values)
        [20, 30, 50]
        """
        start, end, share = self.thresholds | self.lengths, self.ends, math.lcm(*self.shares)
        depths = start | end | {a + b for a in start for b in end}
        return depths if share == 1 else frozenset(range(share * max((*depths, 0)) + 1)) if depths - {0} else depths

    def joined(self, other: Landmarks) -> Landmarks:
        """Both together."""
        unread = tuple(dict.fromkeys((*self.unread, *other.unread)))
        return Landmarks(self.thresholds | other.thresholds, self.ends | other.ends, self.moduli | other.moduli,
                         self.shares | other.shares, self.lengths | other.lengths,
                         self.saw_index or other.saw_index, unread, self.places | other.places,
                         tuple(dict.fromkeys((*self.claims, *other.claims))))  # fmt: skip
