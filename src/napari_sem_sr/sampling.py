"""Which slices stand for a whole stack, where looking at all of them would take too long."""

import numpy as np


def evenly_spaced(count: int, most: int) -> tuple[int, ...]:
    """Up to ``most`` of ``count`` numbers from 0, the first and the last among them."""
    return tuple(int(n) for n in np.unique(np.linspace(0, count - 1, most).round()))
