"""What is odd about a stack, as it is told."""

from dataclasses import dataclass

import numpy as np

from napari_sem_sr.slices.alignment import Alignment


@dataclass(frozen=True)
class Finding:
    """Something odd.

    Parameters
    ----------
    kind
        "unreadable", "missing", "doubled", "blank", "brightness", "jump", "drift" or "shear".
    slice
        Its number, counted from 0; the slice after a gap; None where it is about the whole stack.
    sentence
        What it is, for a person.
    """

    kind: str
    slice: int | None
    sentence: str


@dataclass(frozen=True)
class Examination:
    """What was found, by slice, and how far (y, x), in pixels, each slice lies from the one before.

    Parameters
    ----------
    findings
        What is odd, sorted by slice.
    steps
        One for each slice; 0 for the first.
    """

    findings: tuple[Finding, ...]
    steps: tuple[tuple[float, float], ...]

    def alignment(self, *, steady_too: bool = False) -> Alignment:
        """Lay the slices over each other; see :meth:`~napari_sem_sr.slices.alignment.Alignment.of_steps`.

        Parameters
        ----------
        steady_too
            Whether to undo a steady drift as well, which may be the true shape of the specimen.
        """
        return Alignment.of_steps(np.asarray(self.steps), steady_too=steady_too)

    @property
    def left_out(self) -> tuple[int, ...]:
        """Slices that one would leave out: those that cannot be read, are doubled or partly blank."""
        odd = {f.slice for f in self.findings if f.kind in ("unreadable", "doubled", "blank")}
        return tuple(sorted(s for s in odd if s is not None))
