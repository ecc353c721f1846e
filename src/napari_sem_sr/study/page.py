"""The page of a study: one HTML file that needs nothing but itself."""

import base64
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from markupsafe import Markup

from napari_sem_sr.study.folder import PACKAGES, Row, StudyFolder
from napari_sem_sr.templates import environment

PAGE = "study.html"


@dataclass(frozen=True)
class StudyPlot:
    """A plot as SVG, with what to see in it; kept as ``<name>.svg`` too.

    Parameters
    ----------
    name
        Of the file, without suffix.
    title
        For a person.
    svg
        Text of the picture.
    note
        What to see in it.
    """

    name: str
    title: str
    svg: str
    note: str


@dataclass(frozen=True)
class Page:
    """What a study has to say.

    Parameters
    ----------
    title, question
        What was asked.
    finding
        What was found, in one or a few sentences.
    plots
        In order.
    grids
        Picture grids: file name in the folder of the study, and what to see.
    table
        Rows of text by column.
    method, limits
        How it was done, and what it cannot tell.
    files
        Where the numbers lie: file name and what is in it.
    """

    title: str
    question: str
    finding: Sequence[str]
    plots: Sequence[StudyPlot]
    grids: Sequence[tuple[str, str]]
    table: Sequence[Mapping[str, str]]
    method: Sequence[str]
    limits: Sequence[str]
    files: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Parameters
    ----------
    rows
        The rows of its main table.
    finding
        What it says in words.
    page
        File to read.
    """

    rows: Sequence[Row]
    finding: Sequence[str]
    page: Path

    def summary(self) -> str:
        """For a person at the terminal."""
        return "\n".join([*self.finding, f"Read      {self.page}"])


def write_page(folder: StudyFolder, page: Page, rows: Sequence[Row]) -> StudyResult:
    """Write ``study.html`` and the plots beside it; ``rows`` are those of the study's main table.

    Parameters
    ----------
    folder
        Where everything of the study lies.
    page
        Title, sentences and plots.
    """
    for plot in page.plots:
        folder.write_text(f"{plot.name}.svg", plot.svg)
    text = (
        environment("napari_sem_sr.study")
        .get_template(f"{PAGE}.j2")
        .render(
            page=page,
            # made by matplotlib of numbers and our own words, nothing of a file's is in them
            plots=[(p.title, Markup(p.svg), p.note) for p in page.plots],
            grids=[(_uri(folder, name), note) for name, note in page.grids],
            versions={name: version(name) for name in PACKAGES}
            | {"Python": platform.python_version()},
            now=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )
    folder.write_text(PAGE, text)
    return StudyResult(rows, page.finding, folder.path / PAGE)


def _uri(folder: StudyFolder, name: str) -> str:
    content = (folder.path / name).read_bytes()
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
