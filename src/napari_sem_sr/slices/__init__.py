"""Stacks as they come off the instrument: what is odd about their slices, and how to lay slices over each other."""

from napari_sem_sr.slices.alignment import Alignment
from napari_sem_sr.slices.examine import examine, iter_examine
from napari_sem_sr.slices.findings import Examination, Finding

__all__ = ["Alignment", "Examination", "Finding", "examine", "iter_examine"]
