"""Everything that is found out about one slice; no slice needs another one's result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.pipeline.kinds import KINDS
from napari_sem_sr.checking.protocol import Evidence, plain
from napari_sem_sr.checking.view.seen import Seen
from napari_sem_sr.checking.view.setup import Setup


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found on one slice.

    Parameters
    ----------
    records
        By name of the kind of evidence; plain values, so that they can be kept as JSON, None where it has no say.
    maps
        ``(y, x)`` of LR each, by name; float32, NaN where nothing can be said.
    """

    records: Mapping[str, dict[str, Any] | None]
    maps: Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class SliceEvaluator:
    """All kinds of evidence that can be had on a stack, each prepared once; plain data that can be sent elsewhere.

    Parameters
    ----------
    evidence
        In the order in which they look.
    """

    evidence: Sequence[Evidence[Any]]

    @classmethod
    def prepare(cls, setup: Setup) -> Self:
        """Measure what has to be known before the first slice.

        Parameters
        ----------
        setup
            The stack.
        """
        made = cls([kind.prepare(setup) for kind in KINDS if kind.missing(setup) is None])
        # pieces of slices, and what was computed of them
        setup.glimpsed.clear()
        return made

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps that every slice gets."""
        return tuple(name for kind in self.evidence for name in kind.maps)

    def look(self, setup: Setup, index: int) -> Findings:
        """Find out what there is to know about slice ``index`` of the field.

        Parameters
        ----------
        setup
            The stack.
        """
        seen = Seen(setup, index)
        records: dict[str, dict[str, Any] | None] = {}
        maps: dict[str, npt.NDArray[np.float32]] = {}
        for kind in self.evidence:
            found = kind.look(seen)
            records[kind.name] = None if found.record is None else plain(found.record)
            maps |= found.maps
        return Findings(records, maps)
