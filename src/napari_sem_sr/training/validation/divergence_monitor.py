"""Signs that a training has lost its way, read from what every step reports."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, median

# Steps over which a sign must last: adversarial training scatters by nature.
WINDOW = 40
# Steps from which the usual size of a loss is known; the first are the warm-up's.
REFERENCE = 60
# A loss this many times its usual size has exploded.
EXPLODED = 8.0
# Cross-entropy of a discriminator that is never in doubt: there is nothing more to be learned from it.
WON = 0.01
WON_STEPS = 400
# One that says the wrong thing with certainty.
LOST = 20.0
# Contrast of SR over that of HR below which the generator has collapsed.
COLLAPSED = 0.4


@dataclass
class DivergenceMonitor:
    """Watches the steps of one stage.

    `reason` is asked after every step; once it has found something, training must go back to a sound state
    and a new watch begin.
    """

    _pixel: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _judged: deque[float] = field(default_factory=lambda: deque(maxlen=WON_STEPS))
    _contrast: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _first: list[float] = field(default_factory=list)

    def reason(self, losses: Mapping[str, float], contrast: float) -> str | None:
        """What is wrong, as the end of a sentence, or None.

        Parameters
        ----------
        losses
            Of one step, by name: ``pixel`` and, in the adversarial stage, ``discriminator``.
        contrast
            Standard deviation of the SR batch over that of the HR batch.
        """
        if not all(math.isfinite(value) for value in (*losses.values(), contrast)):
            return "a loss was not a finite number"
        self._pixel.append(losses["pixel"])
        self._contrast.append(contrast)
        if len(self._first) < REFERENCE:
            self._first.append(losses["pixel"])
        elif fmean(self._pixel) > EXPLODED * median(self._first):
            return "the generator moved far away from the teachers"
        if len(self._contrast) == WINDOW and fmean(self._contrast) < COLLAPSED:
            return "the generator collapsed to a picture without contrast"
        if "discriminator" in losses:
            self._judged.append(losses["discriminator"])
            recent = list(self._judged)[-WINDOW:]
            if len(recent) == WINDOW and fmean(recent) > LOST:
                return "the discriminator diverged"
            if len(self._judged) == WON_STEPS and fmean(self._judged) < WON:
                return "the discriminator was never in doubt any more"
        return None
