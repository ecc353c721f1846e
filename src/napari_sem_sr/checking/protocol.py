"""One protocol for all evidence: a module is a kind of evidence, and whoever runs a check only walks the kinds.

A kind says which maps it draws, what it measures on a slice (a typed record that is kept in the journal), how
records combine into its section of the report, and what it cannot judge. ``docs/evidence.md`` adds one in 40 lines.

Before the first slice a kind is `Evidence.prepare`d: it may measure on a few glimpses of the stack what is usual in it.
From then on it is plain data that can be sent to another machine, and looks at each slice by itself: the order of
slices, and who looks at them, changes nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Float = npt.NDArray[np.float32]
Record = TypeVar("Record")


@dataclass(frozen=True)
class Shown:
    """How the report's page draws a map.

    Parameters
    ----------
    title, note
        Above it, and how to read it.
    low, high
        Values of its darkest and lightest colour.
    unit
        Behind ``high``.
    signed
        Whether colours diverge from 0.
    """

    title: str
    low: float
    high: float
    unit: str
    note: str
    signed: bool = False


@dataclass(frozen=True)
class MapKind:
    """A map that a check writes, one OME-Zarr in ``maps.zarr``.

    Parameters
    ----------
    name
        Its folder.
    meaning
        One line.
    grid
        Whose pixels it has.
    shown
        None where the page leaves it to napari.
    """

    name: str
    meaning: str
    grid: Literal["SR", "LR"] = "LR"
    shown: Shown | None = None


@dataclass(frozen=True, eq=False)
class Found(Generic[Record]):
    """What one kind of evidence found on one slice.

    Parameters
    ----------
    record
        Plain numbers; None where the slice has no say.
    maps
        ``(y, x)`` of LR each, by name; float32, NaN where nothing can be said.
    """

    record: Record | None
    maps: Mapping[str, Float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SoFar:
    """What is known when a kind of evidence makes its section.

    Parameters
    ----------
    slices
        Slices of the field that were looked at, in order.
    sections
        Sections of the kinds before it, by key of the report.
    records
        By name of the kind, one per slice of ``slices``; None where a slice has no say.
    limits
        Sentences on what could not be judged; more may be added.
    """

    slices: Sequence[int]
    sections: dict[str, Any]
    records: Mapping[str, Sequence[Any]]
    limits: list[str]


class Evidence(ABC, Generic[Record]):
    """One kind of evidence on one stack; plain data once it is prepared."""

    # Name in the journal.
    name: ClassVar[str]
    # Key of the report under which its section stands; several kinds may share one.
    section: ClassVar[str]
    # The dataclass of what is kept of a slice.
    record: ClassVar[type[Any]]
    # All maps that it may draw.
    draws: ClassVar[tuple[MapKind, ...]] = ()
    # What no number of it can tell; one sentence.
    cannot: ClassVar[str]

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Why it cannot be had, as a sentence for the report's limits ("" where others say so); None if it can.

        Parameters
        ----------
        setup
            The stack.
        """
        return None

    @classmethod
    def instead(cls, setup: "Setup") -> Any:
        """What its section says where it is missing; None by default.

        Parameters
        ----------
        setup
            The stack.
        """
        return None

    @classmethod
    @abstractmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Measure what has to be known before the first slice.

        Parameters
        ----------
        setup
            The stack.
        """

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps that every slice gets."""
        return tuple(kind.name for kind in self.draws)

    @abstractmethod
    def look(self, seen: "Seen") -> Found[Record]:
        """Look at one slice.

        Parameters
        ----------
        seen
            The slice.
        """

    @abstractmethod
    def combine(self, records: Sequence[Record], setup: "Setup", so_far: SoFar) -> Any:
        """Section of the report, or this kind's part of it, from the ``records`` of all slices that have a say.

        A dataclass or a mapping of plain values; None where nothing can be said, which is told in ``so_far.limits``.

        Parameters
        ----------
        setup
            The stack.
        so_far
            What the report says already.
        """

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> Record:
        """A record from the journal's plain values.

        Parameters
        ----------
        plain
            By name of the field.
        """
        made: Record = cls.record(**plain)
        return made


def plain(section: Any) -> dict[str, Any]:
    """A section or a record as plain values.

    Parameters
    ----------
    section
        A dataclass, a mapping, or plain already.
    """
    if is_dataclass(section) and not isinstance(section, type):
        return asdict(section)
    return dict(section)


def summed(records: Sequence[Any]) -> dict[str, float]:
    """Every number of some records of one kind, added up.

    Parameters
    ----------
    records
        Dataclasses of numbers.
    """
    each = [asdict(r) for r in records]
    return {key: sum(r[key] for r in each) for key in each[0]} if each else {}
