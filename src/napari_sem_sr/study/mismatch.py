"""A model on a material that it was not taught on: which particles it invents, and whether the alarm is raised."""

from collections.abc import Generator, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from pydantic import BaseModel, ConfigDict

from napari_sem_sr.events import Event, Notice
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.study.folder import Row, StudyFolder
from napari_sem_sr.study.grid import write_grid
from napari_sem_sr.study.images import real_images, simulated_images
from napari_sem_sr.study.invented import (
    HR_SMOOTHING_PX,
    LEAST_CONTRAST,
    LENIENCE,
    SOUGHT_PX,
    Case,
    iter_count,
)
from napari_sem_sr.study.models import iter_model
from napari_sem_sr.study.page import Page, StudyPlot, StudyResult, write_page
from napari_sem_sr.study.plots import BICUBIC, COLOURS, svg
from napari_sem_sr.training.settings import TrainSettings

STUDY = "mismatch"
SHOWN_PX = 224


class MismatchPlan(BaseModel):
    """What the study does.

    Parameters
    ----------
    teachers, teacher_px
        Simulated specimens of each material to teach with, and sides of the square images.
    held_out, held_out_px
        Specimens looked at during training and as many others upscaled.
    settings
        Recipe and budget of each model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    teachers: int = 100
    teacher_px: int = 512
    held_out: int = 16
    held_out_px: int = 512
    settings: TrainSettings = TrainSettings(epochs=40)


QUICK = MismatchPlan(
    teachers=16,
    teacher_px=384,
    held_out=6,
    held_out_px=384,
    settings=TrainSettings(
        epochs=12,
        gan_share=0.25,
        batch=4,
        gan_batch=2,
        architecture=Architecture(channels=32, blocks=4, tail_channels=16),
    ),
)


def iter_mismatch(
    out: Path, plan: MismatchPlan, real: tuple[Path, Path] | None = None
) -> Generator[Event, None, StudyResult]:
    """Teach on one material, apply to another, count what was invented and write the result to ``out``.

    Parameters
    ----------
    out
        Folder for models, CSV, plots, pictures and ``study.html``; finished trainings in it are kept.
    plan
        How many teachers, how long.
    real
        Folders of real images of the material to teach on and of the one to apply to (metal powder and a
        coating, say), as a second case beside the simulated one.

    Returns
    -------
    Findings, and the rows of ``mismatch.csv``.

    Raises
    ------
    InputError, OutputError, TrainingError
    """
    folder = StudyFolder.open(out, STUDY, plan, real or ())
    cases = [_simulated_case(plan)]
    if real is None:
        yield Notice(
            "No real pair of materials was given, so only the simulated one is studied; give one with --real."
        )
    else:
        cases.append(_real_case(plan, real))
    rows: list[Row] = []
    for case in cases:
        models = {}
        for taught, images in zip(case.taught, (case.foreign, case.own), strict=True):
            models[taught] = yield from iter_model(
                folder, f"{case.name}-{taught}", images.split(), plan.settings
            )
        counted, worst = yield from iter_count(case, models)
        rows += counted
        write_grid(folder.path / _grid(case), [worst], case.own.test[0].pixel_nm, SHOWN_PX)
    folder.write_csv("mismatch.csv", rows)
    return write_page(folder, _page(plan, cases, rows), rows)


def _grid(case: Case) -> str:
    return f"grid_{case.name}.png"


def _simulated_case(plan: MismatchPlan) -> Case:
    sizes = (plan.teachers, plan.held_out, plan.teacher_px, plan.held_out_px)
    return Case(
        "simulated",
        simulated_images("tin", *sizes),
        simulated_images("cathode", *sizes),
        ("tin", "cathode"),
    )


def _real_case(plan: MismatchPlan, real: tuple[Path, Path]) -> Case:
    foreign, own = (real_images([folder], plan.held_out, plan.held_out_px) for folder in real)
    return Case("real", foreign, own, (real[0].name, real[1].name))


def _page(plan: MismatchPlan, cases: Sequence[Case], rows: Sequence[Row]) -> Page:
    skipped = len(cases) == 1
    return Page(
        title="A model on a material it was not taught on",
        question=" ".join(
            f"Taught on {c.foreign.material} or on {c.own.material}, applied to specimens of the latter."
            for c in cases
        ),
        finding=[
            *(_finding(c, [r for r in rows if r["pair"] == c.name]) for c in cases),
            *(
                [
                    "The real pair of materials was skipped: no folders of real images were given (--real)."
                ]
                if skipped
                else []
            ),
        ],
        plots=[_plot(c, [r for r in rows if r["pair"] == c.name]) for c in cases],
        grids=[
            (
                _grid(c),
                f"{c.name.capitalize()}: the middle of the held-out image with most inventions. Circles: particles that SR "
                "shows and HR does not.",
            )
            for c in cases
        ],
        table=[_shown(r) for r in rows],
        method=[
            f"×{plan.settings.factor}; {plan.teachers} simulated specimens of each material to teach with, "
            f"{plan.held_out} others to apply to.",
            f"Particles: maxima of the Laplacian of Gaussian in scale space (Lindeberg 1998), {SOUGHT_PX[0]:g} to "
            f"{SOUGHT_PX[1]:g} HR pixels across, brighter than their surroundings by {LEAST_CONTRAST:.0%} of HR's range.",
            f"Invented: found in SR, but not in HR at that place and size, not even with {LENIENCE:.0%} of that contrast "
            f"(HR smoothed by {HR_SMOOTHING_PX:g} pixel against its noise).",
            "Bicubic, which draws nothing, shows how many the detector itself misjudges.",
            "Alarms: images whose LR raises the model's own domain alarm (distance, noise or blur), before any SR is made.",
        ],
        limits=[
            "The count depends on the contrast that is asked for; compare models, not numbers. With less contrast noise counts too, "
            "and an SRGAN taught on noisy images draws noise.",
            "Only bright round detail is counted; invented cracks, edges and texture are not.",
            *(["Simulated materials."] if skipped else []),
        ],
        files=[
            ("mismatch.csv", "one row per pair, model and network"),
            ("models/", "the models, as any other model of this program"),
        ],
    )


def _of(rows: Sequence[Row], taught: str, network: str) -> Row:
    return next(r for r in rows if (r["taught_on"], r["network"]) == (taught, network))


def _finding(case: Case, rows: Sequence[Row]) -> str:
    foreign, own = case.taught
    plain = _of(rows, "none", "bicubic")

    def told(network: str) -> str:
        a, b = _of(rows, foreign, network), _of(rows, own, network)
        return (
            f"{a['invented']} against {b['invented']} particles ({a['gain_db']:+.2f} and {b['gain_db']:+.2f} dB over "
            "bicubic)"
        )

    return (
        f"{case.name.capitalize()}, on {plain['images']} images of {own}: taught on {foreign} or on {own}, the twin invents "
        f"{told('twin')}, the SRGAN {told('gan')}; bicubic {plain['invented']}. The domain alarm of the model taught on "
        f"{foreign} {_raised(_of(rows, foreign, 'gan'))}, that of the one taught on {own} {_raised(_of(rows, own, 'gan'))}."
    )


def _raised(row: Row) -> str:
    if row["alarms"] is None:
        return "cannot be judged, as too few specimens taught it"
    return f"is raised on {row['alarms']} of {row['images']} images"


def _plot(case: Case, rows: Sequence[Row]) -> StudyPlot:
    names = ["bicubic"] + [
        f"{'SRGAN' if r['network'] == 'gan' else 'twin'}\ntaught on\n{r['taught_on']}"
        for r in rows[1:]
    ]
    colours = [BICUBIC, *(COLOURS[0 if r["taught_on"] == case.taught[1] else 1] for r in rows[1:])]

    def draw(axes: Axes) -> None:
        bars = axes.bar(names, [r["invented"] for r in rows], color=colours)
        axes.bar_label(bars, fontsize=9)
        axes.set_ylabel(f"invented particles on {rows[0]['images']} images")
        axes.tick_params(axis="x", labelsize=8)

    title = f"Invented particles, {case.name} {case.taught[1]}"
    return StudyPlot(f"invented_{case.name}", title, svg(draw), "Found in SR, not in HR.")


def _shown(row: Row) -> dict[str, str]:
    return {
        "pair": row["pair"],
        "taught on": row["taught_on"],
        "network": {"gan": "SRGAN"}.get(row["network"], row["network"]),
        "applied to": row["applied_to"],
        "found": f"{row['found']}",
        "in HR": f"{row['particles_in_hr']}",
        "invented": f"{row['invented']}",
        "per µm²": "–" if row["invented_per_um2"] is None else f"{row['invented_per_um2']:.2f}",
        "over bicubic (dB)": f"{row['gain_db']:+.2f}",
        "SSIM": f"{row['ssim']:.3f}",
        "alarms": ("–" if row["network"] == "bicubic" else "not judged")
        if row["alarms"] is None
        else f"{row['alarms']} of {row['images']}",
    }
