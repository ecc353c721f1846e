"""``sem-sr study``: the study's experiments, repeatable."""

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_sem_sr import events
from napari_sem_sr.terminal import follow, say

if TYPE_CHECKING:
    from napari_sem_sr.study.page import StudyResult

study_app = typer.Typer(
    no_args_is_help=True,
    help="Repeat the experiments behind this program. Interrupted, the same command goes on.",
)

OutOption = Annotated[Path, typer.Option(help="Folder for models, CSV, plots and study.html.")]
QuickFlag = Annotated[
    bool, typer.Option("--quick", help="Small networks and images: minutes on two CPU cores.")
]


@study_app.command()
def teachers(
    out: OutOption,
    quick: QuickFlag = False,
    images: Annotated[
        list[Path] | None,
        typer.Option(help="Real teacher images instead of simulated tin spheres; may be repeated."),
    ] = None,
) -> None:
    """How many teachers, and how many epochs: PSNR and SSIM on specimens never trained on."""
    from napari_sem_sr.study.teachers import QUICK, TeachersPlan, iter_teachers

    _run(iter_teachers(out, QUICK if quick else TeachersPlan(), images or ()))


@study_app.command()
def factor(out: OutOption, quick: QuickFlag = False) -> None:
    """×4 and ×8: which particles are still found, by diameter."""
    from napari_sem_sr.study.factor import QUICK, FactorPlan, iter_factor

    _run(iter_factor(out, QUICK if quick else FactorPlan()))


@study_app.command()
def mismatch(
    out: OutOption,
    quick: QuickFlag = False,
    real: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="TAUGHT APPLIED",
            help="Folders of real images of two materials, as a second case: metal powder and a coating, say.",
        ),
    ] = None,
) -> None:
    """A model on a material it was not taught on: what it invents, and whether the alarm is raised."""
    from napari_sem_sr.study.mismatch import QUICK, MismatchPlan, iter_mismatch

    _run(iter_mismatch(out, QUICK if quick else MismatchPlan(), real))


def _run(work: Generator[events.Event, None, "StudyResult"]) -> None:
    say(follow(work, go_on="the same command goes on").summary())
