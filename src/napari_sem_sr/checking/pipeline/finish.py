"""Everything after the last slice: the report, its page, and what must not lie around."""

import shutil
from collections.abc import Generator
from dataclasses import replace

from napari_sem_sr.checking.evidence.projection import iter_project
from napari_sem_sr.checking.evidence.trust import MASKS
from napari_sem_sr.checking.pipeline.kinds import MAPS_FOLDER, SHOWN
from napari_sem_sr.checking.pipeline.request import CheckRequest, iter_hash
from napari_sem_sr.checking.pipeline.session import HIDDEN, Session
from napari_sem_sr.checking.pipeline.summary import Given, summarise
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.page import render_page
from napari_sem_sr.checking.review.judgements import read_judgements, summary
from napari_sem_sr.events import Event, Timed
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.inference.block import end_claim


def iter_finish(session: Session, request: CheckRequest) -> Generator[Event, None, Report]:
    """Write the report on the slices that were looked at; `Timed` says where the time went.

    Parameters
    ----------
    session
        All slices are looked at.
    request
        What was asked for.
    """
    setup = session.setup
    end_claim(session.out / MAPS_FOLDER)
    if session.is_whole:
        session.maps.finish()
    identity = dict(session.identity)
    # where SR was made meanwhile, its files are there only now
    identity["sr"] = yield from iter_hash(request.sr, "sr")
    given = Given(request.sr, request.hr, identity, session.every)
    report = summarise(setup, session.evaluator, given, session.known)
    if request.project:
        changed = yield from iter_project(
            setup.field, session.out, identity, setup.data_range, setup.degradation
        )
        report = replace(report, consistency={**(report.consistency or {}), "projection": changed})
    _put_away_refused(session, report)
    said = read_judgements(session.out)
    if said:
        report = replace(report, judgements=summary(report.regions, said))
    folder = session.out / MAPS_FOLDER
    page = yield from in_background(
        lambda: render_page(report, setup, setup.model, (folder, SHOWN)), "drawing the report"
    )
    report.write(session.out, page)
    if session.is_whole:
        session.journal.remove()
    yield Timed("check", session.clock.seconds, session.clock.wall)
    return report


def _put_away_refused(session: Session, report: Report) -> None:
    """A mask that is refused must not lie around; after a quick look it may yet be needed."""
    if report.trust is None:
        return
    sections = {"detail": report.trust, "error": report.trust["error"]}
    for mask, name in MASKS.items():
        there = session.out / MAPS_FOLDER / name
        if not sections[mask]["refused"] or not there.exists():
            continue
        if session.is_whole:
            shutil.rmtree(there, ignore_errors=True)
        else:
            there.rename(there.with_name(f"{HIDDEN}{name}"))
