"""What is measured, as a person chose it, and the work itself; needs no window."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari.layers import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.bicubic import interpolated
from napari_sem_sr.measure.measurement import Measurements
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer.beside import report_beside
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

# In the order of the columns; bicubic is made of LR.
MEASURED: tuple[Role, ...] = ("twin", "SR", "HR")
VOLUMES = ("bicubic", *MEASURED)
# Whose pixels bicubic takes.
FINE: tuple[Role, ...] = ("SR", "twin", "HR")


@dataclass(frozen=True, eq=False)
class MeasureRequest:
    """What to measure.

    Parameters
    ----------
    stacks
        By role: LR, SR, HR, twin, as far as there are such.
    wanted
        Which of `VOLUMES`.
    threshold
        As for `measure`; not used where ``labels`` are given.
    labels
        Phases of all volumes.
    folder
        Where the report goes.
    trust
        Folder of a finished check of SR.
    sizes, tortuosity
        Whether to measure what takes longest.
    """

    stacks: Mapping[Role, SemStack]
    wanted: tuple[str, ...]
    threshold: str
    labels: SemStack | None
    folder: Path
    trust: Path | None = None
    sizes: bool = True
    tortuosity: bool = True

    def volumes(self) -> list[SemStack]:
        """The stacks to measure, in the order of the columns.

        Raises
        ------
        InputError
            If there is nothing to measure, or nothing that bicubic could be made for.
        """
        chosen = [self.stacks[role] for role in MEASURED if role in self.wanted]
        if "bicubic" in self.wanted:
            like = next((self.stacks[role] for role in FINE if role in self.stacks), None)
            if like is None:
                raise InputError(
                    tr("Bicubic is made as fine as SR; choose SR above, or leave bicubic out.")
                )
            chosen.insert(0, interpolated(self.stacks["LR"], like))
        if not chosen:
            raise InputError(tr("No volume is ticked; tick one or more."))
        return chosen


def possible(stacks: Mapping[Role, object]) -> tuple[str, ...]:
    """Which of `VOLUMES` there are with these roles.

    Parameters
    ----------
    stacks
        By role.
    """
    there = tuple(role for role in MEASURED if role in stacks)
    return ("bicubic", *there) if there and "LR" in stacks else there


def iter_measured(request: MeasureRequest) -> Generator[Event, None, Measurements]:
    """Measure, replacing what was measured before in the same folder.

    Parameters
    ----------
    request
        What was chosen.
    """
    yield Progress("preparing", 0, 1, "step")
    from napari_sem_sr.measure.run import iter_measure

    return (
        yield from iter_measure(
            request.volumes(),
            request.folder,
            labels=request.labels,
            threshold=request.threshold,
            trust=request.trust,
            sizes=request.sizes,
            tortuosity=request.tortuosity,
            overwrite=True,
        )
    )


def default_folder(layer: Image) -> Path:
    """Where the report on a layer goes: beside its file.

    Parameters
    ----------
    layer
        Whose file it lies beside.
    """
    return report_beside(layer, "measure", "volume")
