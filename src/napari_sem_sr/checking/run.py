"""Check an SR stack against what was measured, slice by slice."""

from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from pathlib import Path

from napari_sem_sr.checking.isotropic_volume import is_isotropic, iter_check_isotropic
from napari_sem_sr.checking.pipeline.finish import iter_finish
from napari_sem_sr.checking.pipeline.looking import Looking
from napari_sem_sr.checking.pipeline.open import iter_open
from napari_sem_sr.checking.pipeline.request import CheckRequest
from napari_sem_sr.checking.pipeline.session import Session
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.events import Event, drain
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher


def check(
    lr: SemStack,
    sr: SemStack,
    hr: SemStack | None = None,
    *,
    model: Model | None = None,
    reference: Sequence[Teacher] | None = None,
    out: str | Path,
    register: bool = False,
    project: bool = False,
    without: Collection[int] = (),
    every: int = 1,
    resume: bool = False,
) -> Report:
    """Check an SR stack; see `iter_check`.

    Parameters
    ----------
    lr, sr, hr, model, reference, out, register, project, without, every, resume
        As for `iter_check`.
    """
    return drain(
        iter_check(
            lr,
            sr,
            hr,
            model=model,
            reference=reference,
            out=out,
            register=register,
            project=project,
            without=without,
            every=every,
            resume=resume,
        )
    )


def iter_check(
    lr: SemStack,
    sr: SemStack,
    hr: SemStack | None = None,
    *,
    model: Model | None = None,
    reference: Sequence[Teacher] | None = None,
    out: str | Path,
    register: bool = False,
    project: bool = False,
    without: Collection[int] = (),
    every: int = 1,
    resume: bool = False,
) -> Generator[Event, None, Report]:
    """Check an SR stack slice by slice, in memory that does not grow with the stack.

    While one slice is computed the next is read and the one before is written.

    Parameters
    ----------
    lr
        The measured LR stack.
    sr
        Its SR stack, or that of a part of it.
    hr
        HR of the same field, if there is one.
    model
        The model that made SR; its twin is scored beside it.
    reference
        Teachers of the same material, of other places: their statistics are held beside the stack's.
    out
        Folder for ``report.json``, ``report.html``, ``regions.csv`` and ``maps.zarr``.
    register
        Lay HR over LR by what its pixels show, instead of where its file puts it.
    project
        Also write SR made consistent with LR (``projected.zarr``), and report what that changed.
    without
        Slices of LR that are not looked at: charged, damaged, out of focus. Their maps are NaN.
    every
        A quick look at every so many slices. The report says what that leaves unknown; with ``resume`` and a smaller
        number the other slices are looked at later, into the same report.
    resume
        Begin, or continue what is there if the inputs are the same; a finished report is left as it is.

    Yields
    ------
    `Progress`, at least every 200 ms; `Timed` at the end.

    Raises
    ------
    InputError
        If the stacks do not fit together, or ``every`` is less than 1.
    OutputError
        If ``out`` holds a report already, is being written by another check, or cannot be written.
    """
    request = CheckRequest(lr, sr, hr, model, reference, register, project, without, every)
    with locked(Path(out)):
        if is_isotropic(sr):
            return (yield from iter_check_isotropic(lr, sr, hr, Path(out), resume=resume))
        session = yield from iter_open(request, Path(out), resume=resume)
        if isinstance(session, Report):
            return session
        with closing(session.setup.shelf):
            yield from iter_look(session)
            return (yield from iter_finish(session, request))


def iter_look(session: Session) -> Generator[Event, None, None]:
    """Look at all slices that are still to be looked at.

    Parameters
    ----------
    session
        As `iter_open` gives it.
    """
    todo = session.todo
    with Looking(session) as looking:
        for place, index in enumerate(todo):
            session.setup.want(index, todo[place + 1 : place + 2])
            yield from looking.iter_look(index)
        yield from looking.iter_settle()
