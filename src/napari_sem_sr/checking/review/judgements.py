"""What a person says about suspect places, kept beside the report and read back into it.

A judgement is on disk when `judge` returns. It belongs to one place of the list, known by its box; judging the place
again replaces it. Several people may judge one report at a time: each save takes in what the others have said.

What it can and cannot tell: the precision is the share of artifacts among the places that a person could decide, with
a Clopper-Pearson interval (Clopper and Pearson 1934, Biometrika 26, 404). It says how good the list is as far down
as it was judged, nothing about faults that are not on it, and people err too.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from scipy.stats import binomtest

from napari_sem_sr.checking.report.document import PAGE, Report
from napari_sem_sr.checking.report.html import report_environment
from napari_sem_sr.errors import InputError
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors
from napari_sem_sr.io.lock import locked

NAME = "judgements.json"
TEMPLATE = "judgements.html.j2"
Opinion = Literal["real", "artifact", "unsure"]
# Slice and box, as in ``regions`` of ``report.json``.
Place = tuple[int, int, int, int, int]
# Fewer decided places than this give an interval too wide to be called a precision.
MIN_DECIDED = 10
LEVEL = 0.95
# A save takes a fraction of a second; another person's is waited for.
PATIENCE_S = 30.0
_SECTION = re.compile(r"<!-- judgements -->.*?<!-- /judgements -->", re.DOTALL)


@dataclass(frozen=True)
class Judgement:
    """One opinion about one place.

    Parameters
    ----------
    slice, y, x, height, width
        The place, as in ``regions`` of ``report.json``.
    opinion
        ``"real"``, ``"artifact"`` or ``"unsure"``.
    note
        In the person's own words.
    when
        UTC, ISO 8601.
    """

    slice: int
    y: int
    x: int
    height: int
    width: int
    opinion: Opinion
    note: str = ""
    when: str = ""

    @property
    def place(self) -> Place:
        """Box that the judgement is about."""
        return (self.slice, self.y, self.x, self.height, self.width)


def place_of(region: Mapping[str, Any]) -> Place:
    """Box of a suspect region, by which its judgement is found.

    Parameters
    ----------
    region
        As in ``report.json``.
    """
    slice_, y, x, height, width = (int(region[k]) for k in ("slice", "y", "x", "height", "width"))
    return (slice_, y, x, height, width)


def read_judgements(folder: str | Path) -> tuple[Judgement, ...]:
    """Judgements kept in a check's ``folder``, oldest first; none where nobody has judged yet.

    Raises
    ------
    InputError
        If the file there cannot be understood.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return ()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_judgement(entry) for entry in values["judgements"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{path}' cannot be read as judgements ({error}); repair it, or move it away to start over."
        ) from error
    for judgement in found:
        _check_opinion(judgement.opinion)
    return found


def _judgement(entry: Any) -> Judgement:
    if not isinstance(entry, Mapping):
        raise TypeError("a judgement is no mapping")
    numbers = ("slice", "y", "x", "height", "width")
    if not all(isinstance(v, int if k in numbers else str) for k, v in entry.items()):
        raise TypeError("a place is not in whole numbers, or a note is no text")
    return Judgement(**entry)


def judge(
    folder: str | Path, region: Mapping[str, Any], opinion: Opinion, note: str = ""
) -> Mapping[str, Any]:
    """Keep one judgement at once, and put all of them into the report.

    Parameters
    ----------
    folder
        Of a finished check.
    region
        One of ``regions`` of its report.
    opinion, note
        What the person says.

    Returns
    -------
    As `summary`.

    Raises
    ------
    InputError
        If ``folder`` holds no finished report, or the opinion is none of the three.
    OutputError
        If the disk refuses.
    """
    _check_opinion(opinion)
    folder = Path(folder)
    report = Report.read(folder)
    new = Judgement(
        *place_of(region), opinion, note.strip(), datetime.now(UTC).isoformat(timespec="seconds")
    )
    return _keep(folder, report, new.place, (new,))


def forget(folder: str | Path, region: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the judgement of one place back, at once; see `judge`.

    Parameters
    ----------
    folder
        Of the check.
    region
        As in ``report.json``.
    """
    folder = Path(folder)
    report = Report.read(folder)
    return _keep(folder, report, place_of(region), ())


def _keep(
    folder: Path, report: Report, place: Place, instead: Sequence[Judgement]
) -> Mapping[str, Any]:
    """Put ``instead`` in the place of what was said about one place, beside all that others have said meanwhile."""
    with locked(folder / NAME, wait_s=PATIENCE_S):
        judgements = [*(j for j in read_judgements(folder) if j.place != place), *instead]
        with translate_os_errors(folder / NAME), atomic_write(folder / NAME) as path:
            text = json.dumps({"judgements": [asdict(j) for j in judgements]}, indent=1)
            path.write_text(text + "\n", encoding="utf-8")
        judged = summary(report.regions, judgements)
        page = folder / PAGE
        with translate_os_errors(page):
            shown = page.read_text(encoding="utf-8")
        section = report_environment().get_template(TEMPLATE).render(judgements=judged)
        replace(report, judgements=judged).write(folder, _SECTION.sub(lambda _: section, shown))
    return judged


def summary(
    regions: Iterable[Mapping[str, Any]], judgements: Iterable[Judgement]
) -> dict[str, Any]:
    """What the judgements say about the list of suspect places, for ``report.json``.

    Only places of the list count. ``precision`` (share of artifacts among those decided) and its ``interval`` are
    None under ``MIN_DECIDED`` decided places; ``needed`` says how many more it takes.

    Parameters
    ----------
    regions
        As in ``report.json``.
    judgements
        As kept beside it.
    """
    listed = {place_of(r): rank for rank, r in enumerate(regions, start=1)}
    places = sorted((j for j in judgements if j.place in listed), key=lambda j: listed[j.place])
    count = {opinion: sum(j.opinion == opinion for j in places) for opinion in get_args(Opinion)}
    decided = count["real"] + count["artifact"]
    enough = decided >= MIN_DECIDED
    interval = None
    if enough:
        found = binomtest(count["artifact"], decided).proportion_ci(LEVEL, method="exact")
        interval = [float(found.low), float(found.high)]
    return {
        **count,
        "precision": count["artifact"] / decided if enough else None,
        "interval": interval,
        "needed": max(0, MIN_DECIDED - decided),
        "places": [{"rank": listed[j.place], **asdict(j)} for j in places],
    }


def _check_opinion(opinion: str) -> None:
    if opinion not in get_args(Opinion):
        choices = ", ".join(get_args(Opinion))
        raise InputError(f"'{opinion}' is not a judgement; say one of {choices}.")
