"""A quick look: only every N-th slice was looked at, and what that leaves unknown.

The share of all slices that hold a suspect place is bounded from those that were looked at: exact limits for a
sample without replacement (hypergeometric; as Clopper and Pearson 1934, Biometrika 26, 404, for the binomial), 95 %.

What it can and cannot tell: slices are looked at in regular steps, not at random, so a fault that recurs in the same steps
escapes. Of a single slice that was not looked at nothing is known.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import hypergeom

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Quick:
    """What a quick look saw.

    Parameters
    ----------
    every
        Steps in which slices were looked at.
    looked_at
        Slices of the field.
    total
        Slices that a whole check would look at.
    suspect
        How many of those looked at hold a suspect place.
    """

    every: int
    looked_at: tuple[int, ...]
    total: int
    suspect: int

    def interval(self) -> tuple[int, int]:
        """Fewest and most slices of the whole stack that may hold a suspect place."""
        return bounds(self.suspect, len(self.looked_at), self.total)

    def checked(self, first: int) -> dict[str, Any]:
        """For ``checked`` in the report; ``first``: slice of LR with which the field begins."""
        return {"every": self.every, "looked_at": [first + z for z in self.looked_at]}

    def sentence(self) -> str:
        """What is not yet known, for the verdict."""
        low, high = self.interval()
        return (
            f"So far {len(self.looked_at)} of {self.total} slices were looked at, {self.suspect} of which hold a suspect place; "
            f"of all slices {low} to {high} do ({CONFIDENCE:.0%} interval)."
        )

    def limit(self) -> str:
        """The same, for the limits."""
        return (
            f"Only every {self.every}. slice was looked at ({len(self.looked_at)} of {self.total}); nothing is known of single "
            "slices in between. Run the check again with --resume and without --every to look at the rest."
        )


def bounds(suspect: int, looked_at: int, total: int) -> tuple[int, int]:
    """Fewest and most of ``total`` that can be suspect if ``suspect`` of ``looked_at`` are; 95 %."""
    tail = (1 - CONFIDENCE) / 2
    possible = np.arange(suspect, total - looked_at + suspect + 1)
    # the fewest with which so many suspects, and the most with which so few, are not too unlikely
    enough = possible[hypergeom.sf(suspect - 1, total, possible, looked_at) > tail]
    few = possible[hypergeom.cdf(suspect, total, possible, looked_at) > tail]
    return int(enough[0]), int(few[-1])
