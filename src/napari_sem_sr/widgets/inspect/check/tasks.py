"""What the tab Answer check asks of the core, as generators of events; torch is loaded in their thread."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Image

from napari_sem_sr.checking.field import Field, align, iter_place
from napari_sem_sr.checking.report.document import JSON, Report
from napari_sem_sr.checking.suspects.places import Surroundings, look_around
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.check.options import CheckOptions
from napari_sem_sr.widgets.viewer.beside import report_beside
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

# SR pixels along the side of a small picture.
SEEN_PX = 64


@dataclass(frozen=True, eq=False)
class FinishedCheck:
    """A finished check and what it is about.

    Parameters
    ----------
    folder
        Where the report, its maps and the judgements are.
    field
        The stacks, placed over each other.
    """

    folder: Path
    report: Report
    field: Field


@dataclass(frozen=True, eq=False)
class PlaceSeen(Event):
    """The surroundings of suspect region ``index`` (in the report's order)."""

    index: int
    seen: Surroundings


def default_folder(sr: Image) -> Path:
    """Where the report on a layer goes unless someone says otherwise: beside its file."""
    return report_beside(sr, "check", "sr")


def steps_of(report: Report) -> int:
    """Every so many slices were looked at."""
    return int(report.sr["checked"].get("every", 1))


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a finished check."""
    return (folder / JSON).exists()


def iter_evidence(
    stacks: Mapping[Role, SemStack], folder: Path, options: CheckOptions, *, further: bool
) -> Generator[Event, None, FinishedCheck]:
    """Check, go on with a check that was stopped, or take up a finished one, made with or without HR.

    Parameters
    ----------
    further
        Look at slices that a finished quick look passed over, where the options ask for more of them.
    """
    if is_finished(folder) and not further:
        return (yield from iter_saved(stacks, folder))
    yield Progress(tr("loading the model"), 0, 1, "step")
    from napari_sem_sr.checking import iter_check
    from napari_sem_sr.model.zoo import model_of
    from napari_sem_sr.teachers.teacher import read_teachers

    reference = None
    if options.reference is not None:
        yield Progress(tr("reading the reference"), 0, 1, "step")
        reference, _ = read_teachers([options.reference])
    sr = stacks["SR"]
    report = yield from iter_check(
        stacks["LR"],
        sr,
        stacks.get("HR"),
        model=model_of(sr.provenance),
        reference=reference,
        out=folder,
        register=options.register,
        project=options.project,
        without=options.without,
        every=options.every,
        resume=True,
    )
    return (yield from _iter_placed(stacks, folder, report))


def iter_saved(
    stacks: Mapping[Role, SemStack], folder: Path
) -> Generator[Event, None, FinishedCheck]:
    """Take up a finished check, wherever it was made.

    Raises
    ------
    InputError
        If it is about another SR stack.
    """
    yield Progress(tr("reading the report"), 0, 1, "step")
    report = Report.read(folder)
    sr = stacks["SR"]
    yield Progress(tr("recognising {name}", name=sr.name), 0, 1, "step")
    if list(sr.shape) != report.sr["shape"] or sr.content_hash != report.sr["hash"]:
        raise InputError(
            tr(
                "The report in '{folder}' is about '{value}', which is not the same as '{name}'; choose the SR that was checked.",
                folder=folder,
                value=report.sr["name"],
                name=sr.name,
            )
        )
    return (yield from _iter_placed(stacks, folder, report))


def _iter_placed(
    stacks: Mapping[Role, SemStack], folder: Path, report: Report
) -> Generator[Event, None, FinishedCheck]:
    """The stacks where the check saw them."""
    lr, sr, hr = stacks["LR"], stacks["SR"], stacks.get("HR")
    if report.registered:
        field, _ = yield from iter_place(lr, sr, hr, register=True)
    else:
        field = align(lr, sr, hr)
    return FinishedCheck(folder, report, field.leaving_out(report.sr["checked"].get("without", ())))


def iter_places(evidence: FinishedCheck) -> Generator[Event, None, None]:
    """Surroundings of all suspect regions, slice by slice so that each is read once."""
    regions: list[Any] = list(evidence.report.regions)
    for index in sorted(range(len(regions)), key=lambda i: regions[i]["slice"]):
        yield PlaceSeen(index, look_around(evidence.field, regions[index], SEEN_PX))
